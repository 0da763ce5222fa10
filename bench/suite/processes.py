"""Programs that are measured: started, watched through /proc, and ended with whoever started them."""
import os
import signal
import subprocess
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A program did not do what it should; the text says what."""


def output_of(command, **options):
    """Standard output of a command that must succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **options)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def wait_until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Usage:
    """What processes have used since they were started: CPU seconds, bytes given to the disk, memory now."""

    def __init__(self, pids):
        self.cpu_s = self.written_bytes = self.resident_bytes = 0
        for pid in pids:
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                with open(f"/proc/{pid}/io", encoding="ascii") as file:
                    io = dict(line.split(": ") for line in file.read().splitlines())
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            self.cpu_s += (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
            self.resident_bytes += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
            self.written_bytes += int(io["write_bytes"])


def descendants(pid):
    """A process and all that came of it, by id."""
    found = [pid]
    for entry in found:
        try:
            for thread in os.listdir(f"/proc/{entry}/task"):
                with open(f"/proc/{entry}/task/{thread}/children", encoding="ascii") as file:
                    found += [int(child) for child in file.read().split()]
        except FileNotFoundError:
            pass
    return found


class Program:
    """One that runs until `stop`; its output goes to a file."""

    def __init__(self, command, log, **options):
        self.command = [str(part) for part in command]
        with open(log, "ab") as file:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=file,
                                            stderr=subprocess.STDOUT, **options)
        self.log = log

    def is_running(self):
        return self.process.poll() is None

    def usage(self):
        return Usage(descendants(self.process.pid))

    def wait_until(self, condition, what, seconds=60):
        def is_there():
            if not self.is_running():
                with open(self.log, encoding="utf-8", errors="replace") as file:
                    raise Failed(f"{self.command[0]} ended: {file.read()[-2000:]}")
            return condition()

        wait_until(is_there, what, seconds)

    def stop(self, number=signal.SIGTERM):
        if self.is_running():
            self.process.send_signal(number)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
