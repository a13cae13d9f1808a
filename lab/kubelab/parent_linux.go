package main

import (
	"os"
	"strconv"
	"syscall"
)

// A lab that is itself killed cannot end its programs, so they ask the kernel to: KUBELAB_PARENT names the process they shall not
// outlive. This runs in init, and with it on the main thread, because the kernel keeps the wish per thread.
func init() {
	parent, err := strconv.Atoi(os.Getenv("KUBELAB_PARENT"))
	if err != nil {
		return
	}
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
	if os.Getppid() != parent { // it ended before the wish was spoken
		os.Exit(1)
	}
}
