/* What ended.rs must find in a snapshot: children and threads that have ended and are kept by a handle, and none of those
   whose last handle is closed. */

#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#define KEPT 200
#define CLOSED 20
#define CHILD_STATUS 1000
#define THREAD_STATUS 5000

static DWORD WINAPI end_with(void *status)
{
    return (DWORD)(ULONG_PTR)status;
}

static void say(FILE *truth, const char *key, unsigned long long value)
{
    fprintf(truth, "%s %llu\n", key, value);
}

int main(int count, char **arguments)
{
    if (count > 1) {
        return atoi(arguments[1]);
    }

    FILE *truth = fopen("C:\\truth.unfinished", "w");
    say(truth, "process", GetCurrentProcessId());
    for (int i = 0; i < KEPT + CLOSED; i++) {
        char command_line[64];
        sprintf(command_line, "C:\\ended.exe %d", CHILD_STATUS + i);
        STARTUPINFOA startup = { .cb = sizeof startup };
        PROCESS_INFORMATION child;
        if (!CreateProcessA(NULL, command_line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &child)) {
            return 1;
        }
        WaitForSingleObject(child.hProcess, INFINITE);
        CloseHandle(child.hThread);
        if (i < KEPT) {
            say(truth, "child", child.dwProcessId);
            say(truth, "child_handle", (ULONG_PTR)child.hProcess);
            say(truth, "child_status", CHILD_STATUS + i);
        } else {
            CloseHandle(child.hProcess);
        }
    }
    for (int i = 0; i < KEPT + CLOSED; i++) {
        DWORD id;
        HANDLE thread = CreateThread(NULL, 0, end_with, (void *)(ULONG_PTR)(THREAD_STATUS + i), 0, &id);
        WaitForSingleObject(thread, INFINITE);
        if (i < KEPT) {
            say(truth, "thread", id);
            say(truth, "thread_handle", (ULONG_PTR)thread);
            say(truth, "thread_status", THREAD_STATUS + i);
        } else {
            CloseHandle(thread);
        }
    }
    fclose(truth);
    MoveFileA("C:\\truth.unfinished", "C:\\truth");

    /* Until the test closes our input. */
    while (getchar() != EOF) {
    }
    return 0;
}
