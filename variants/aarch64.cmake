# Cross build for 64-bit Arm with Debian's compiler, its programs run by qemu-user:
#   cmake --preset aarch64 && cmake --build build-aarch64 && build-aarch64/bin/engine_tests (through qemu-aarch64)
# scripts/bootstrap --with aarch64 brings compiler, emulator and PCRE2 for arm64.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64;-L;/usr/aarch64-linux-gnu)
