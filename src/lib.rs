#![cfg_attr(not(any(test, feature = "simulate")), no_std)]
