# Cross build for 64-bit Arm with Debian's compiler, its programs run by qemu-user:
#   cmake --preset aarch64 && cmake --build build-aarch64 && build-aarch64/bin/engine_tests (through qemu-aarch64)
# scripts/bootstrap --with aarch64 brings compiler, emulator and PCRE2 for arm64.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
# The library path: PCRE2's package brings a C library of its own, which is not the loader's, and a mixed pair hangs in
# the first thread.
set(CMAKE_CROSSCOMPILING_EMULATOR
    qemu-aarch64;-L;/usr/aarch64-linux-gnu;-E;LD_LIBRARY_PATH=/usr/aarch64-linux-gnu/lib)
