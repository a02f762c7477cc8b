/* The C runtime: `main`, `printf` and what runs before and after them. Linked once with the runtime's own `printf` inside the
   image, and once with the one in its DLL. */

#include <stdio.h>
#include <windows.h>

int main(void)
{
    printf("Hello, world from process %lu\n", GetCurrentProcessId());
    return 0;
}
