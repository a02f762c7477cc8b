/* What named.rs must find in a snapshot: handles to objects whose names this program knows, and a job with a child in it. */

#include <stdio.h>
#include <string.h>
#include <windows.h>

static FILE *truth;

static void say(const char *key, unsigned long long value)
{
    fprintf(truth, "%s %llu\n", key, value);
}

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "child") == 0) {
        Sleep(INFINITE);
    }

    truth = fopen("C:\\truth.unfinished", "w");
    say("process", GetCurrentProcessId());
    say("event", (ULONG_PTR)CreateEventA(NULL, TRUE, FALSE, "bootshot planted event"));
    say("mutant", (ULONG_PTR)CreateMutexA(NULL, FALSE, "bootshot planted mutant"));
    say("semaphore", (ULONG_PTR)CreateSemaphoreA(NULL, 0, 3, "bootshot planted semaphore"));
    say("section", (ULONG_PTR)CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096,
                                                 "bootshot planted section"));
    say("unnamed", (ULONG_PTR)CreateEventA(NULL, TRUE, FALSE, NULL));
    /* Another handle to the first event: one object, two handles. */
    say("again", (ULONG_PTR)OpenEventA(SYNCHRONIZE, FALSE, "bootshot planted event"));
    say("file", (ULONG_PTR)CreateFileA("C:\\planted file.txt", GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS, 0, NULL));
    HKEY key;
    if (RegCreateKeyA(HKEY_CURRENT_USER, "Software\\bootshot planted key", &key) != ERROR_SUCCESS) {
        return 1;
    }
    say("key", (ULONG_PTR)key);

    HANDLE job = CreateJobObjectA(NULL, "bootshot planted job");
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
        .BasicLimitInformation = { .LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_BREAKAWAY_OK },
    };
    if (!SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits)) {
        return 1;
    }
    say("job", (ULONG_PTR)job);
    char command_line[] = "C:\\named.exe child";
    STARTUPINFOA startup = { .cb = sizeof startup };
    PROCESS_INFORMATION child;
    if (!CreateProcessA(NULL, command_line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &child)
        || !AssignProcessToJobObject(job, child.hProcess)) {
        return 1;
    }
    say("child", child.dwProcessId);
    fclose(truth);
    MoveFileA("C:\\truth.unfinished", "C:\\truth");

    /* Until the test closes our input. */
    while (getchar() != EOF) {
    }
    RegDeleteKeyA(HKEY_CURRENT_USER, "Software\\bootshot planted key");
    TerminateProcess(child.hProcess, 0);
    return 0;
}
