"""Keeps a process from the network although it may open files: for an on-disk graph.

Specification: seccomp(2), SECCOMP_SET_MODE_FILTER; a filter is classic BPF.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from medbench_kg.errors import StoreError

__all__ = ["forbid_sockets"]

#: Machine → its AUDIT_ARCH number, and the number of its system call ``socket``.
_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}

#: Number of ``io_uring_setup`` on every machine: rings open sockets without that call.
_IO_URING_SETUP = 425

#: ``struct sock_filter``: what to do, how many steps to skip if so and if not, and a number.
_STEP = struct.Struct("=HBBI")
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_KILL, _REFUSE, _ALLOW = 0x80000000, 0x00050000 | errno.EACCES, 0x7FFF0000

#: Where a filter finds the number of the call, and the machine that it was made for.
_CALL, _MACHINE = 0, 4

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2


def forbid_sockets() -> None:
    """From here on, neither this process nor its children can make a socket.

    Raises:
        StoreError: that can't be forbidden on this machine.
    """
    arch, call = _SOCKET.get(platform.machine(), (0, 0))
    steps = (
        (_LOAD, 0, 0, _MACHINE),
        (_IF_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _CALL),
        (_IF_EQUAL, 1, 0, call),
        (_IF_EQUAL, 0, 1, _IO_URING_SETUP),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    )
    code = ctypes.create_string_buffer(b"".join(_STEP.pack(*step) for step in steps))
    program = struct.pack("HP", len(steps), ctypes.addressof(code))
    prctl = ctypes.CDLL(None).prctl
    if (
        not arch
        or prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        or prctl(_PR_SET_SECCOMP, _MODE_FILTER, program, 0, 0)
    ):
        raise StoreError(
            "Queries on an on-disk graph can't be kept from the network on this machine.",
            hint="Serve the graph from memory.",
        )
