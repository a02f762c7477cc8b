/* A program for trust.rs that lets processes, threads, handles and keys come and go as fast as it can, until its input
   ends; then it says how many there were. */

#include <stdio.h>
#include <string.h>
#include <windows.h>

#define HANDLES 64
#define THREADS 8

enum { PROCESSES_MADE, THREADS_MADE, HANDLES_MADE, KEYS_MADE, KINDS };
static volatile LONG made[KINDS];
static volatile LONG is_over;

static DWORD WINAPI return_at_once(void *parameter)
{
    (void)parameter;
    return 0;
}

static DWORD WINAPI make_processes(void *parameter)
{
    (void)parameter;
    while (!is_over) {
        char command_line[] = "\"C:\\churn.exe\" child";
        STARTUPINFOA startup = { .cb = sizeof startup };
        PROCESS_INFORMATION child;
        if (CreateProcessA(NULL, command_line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &child)) {
            WaitForSingleObject(child.hProcess, INFINITE);
            CloseHandle(child.hProcess);
            CloseHandle(child.hThread);
            InterlockedIncrement(&made[PROCESSES_MADE]);
        }
    }
    return 0;
}

static DWORD WINAPI make_threads(void *parameter)
{
    (void)parameter;
    while (!is_over) {
        HANDLE threads[THREADS];
        DWORD count = 0;
        for (int i = 0; i < THREADS; i++) {
            HANDLE thread = CreateThread(NULL, 0, return_at_once, NULL, 0, NULL);
            if (thread != NULL) {
                threads[count++] = thread;
            }
        }
        for (DWORD i = 0; i < count; i++) {
            WaitForSingleObject(threads[i], INFINITE);
            CloseHandle(threads[i]);
            InterlockedIncrement(&made[THREADS_MADE]);
        }
    }
    return 0;
}

static DWORD WINAPI make_handles(void *parameter)
{
    (void)parameter;
    while (!is_over) {
        HANDLE handles[HANDLES];
        for (int i = 0; i < HANDLES; i++) {
            handles[i] = i % 2 == 0 ? CreateEventW(NULL, TRUE, FALSE, NULL) : CreateMutexW(NULL, FALSE, NULL);
        }
        for (int i = 0; i < HANDLES; i++) {
            CloseHandle(handles[i]);
            InterlockedIncrement(&made[HANDLES_MADE]);
        }
    }
    return 0;
}

static DWORD WINAPI make_keys(void *parameter)
{
    (void)parameter;
    while (!is_over) {
        HKEY key;
        if (RegCreateKeyExA(HKEY_LOCAL_MACHINE, "Software\\churn", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL) == 0) {
            RegSetValueExA(key, "value", 0, REG_SZ, (const BYTE *)"data", 5);
            RegCloseKey(key);
            RegDeleteKeyA(HKEY_LOCAL_MACHINE, "Software\\churn");
            InterlockedIncrement(&made[KEYS_MADE]);
        }
    }
    return 0;
}

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "child") == 0) {
        return 0;
    }
    LPTHREAD_START_ROUTINE makers[KINDS] = { make_processes, make_threads, make_handles, make_keys };
    HANDLE threads[KINDS];
    for (int i = 0; i < KINDS; i++) {
        threads[i] = CreateThread(NULL, 0, makers[i], NULL, 0, NULL);
    }
    /* Until the test closes our input. */
    while (getchar() != EOF) {
    }
    is_over = 1;
    WaitForMultipleObjects(KINDS, threads, TRUE, INFINITE);
    printf("%ld %ld %ld %ld\n", made[PROCESSES_MADE], made[THREADS_MADE], made[HANDLES_MADE], made[KEYS_MADE]);
    return 0;
}
