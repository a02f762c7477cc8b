/* What planted.rs must find in a snapshot: a process that knows its own handles, threads and child, and says them. */

#include <stdio.h>
#include <string.h>
#include <windows.h>

#define EVENTS 7
#define MUTANTS 3
#define SEMAPHORES 5
#define THREADS 4

static DWORD WINAPI wait_for_ever(void *parameter)
{
    (void)parameter;
    Sleep(INFINITE);
    return 0;
}

static void say(FILE *truth, const char *key, unsigned long long value)
{
    fprintf(truth, "%s %llu\n", key, value);
}

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "child") == 0) {
        Sleep(INFINITE);
    }

    FILE *truth = fopen("C:\\truth.unfinished", "w");
    for (int i = 0; i < EVENTS; i++) {
        say(truth, "Event", (ULONG_PTR)CreateEventW(NULL, TRUE, FALSE, NULL));
    }
    for (int i = 0; i < MUTANTS; i++) {
        say(truth, "Mutant", (ULONG_PTR)CreateMutexW(NULL, FALSE, NULL));
    }
    for (int i = 0; i < SEMAPHORES; i++) {
        say(truth, "Semaphore", (ULONG_PTR)CreateSemaphoreW(NULL, 0, 1, NULL));
    }
    for (int i = 0; i < THREADS; i++) {
        DWORD id;
        CreateThread(NULL, 0, wait_for_ever, NULL, 0, &id);
        say(truth, "thread", id);
    }
    say(truth, "thread", GetCurrentThreadId());

    char command_line[] = "\"C:\\planted.exe\" child  with known \"words\"";
    STARTUPINFOA startup = { .cb = sizeof startup };
    PROCESS_INFORMATION child;
    if (!CreateProcessA(NULL, command_line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &child)) {
        return 1;
    }
    say(truth, "process", GetCurrentProcessId());
    say(truth, "child", child.dwProcessId);
    say(truth, "child_thread", child.dwThreadId);
    fclose(truth);
    MoveFileA("C:\\truth.unfinished", "C:\\truth");

    /* Until the test closes our input. */
    while (getchar() != EOF) {
    }
    TerminateProcess(child.hProcess, 0);
    return 0;
}
