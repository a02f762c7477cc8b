//! Images with one fault each, and what the gate says about them.

mod damage;
mod description;
mod faults;
mod fixture;
mod size;
