/* The library of decimal numbers (dfp-number-sys) is told the system that it is built on, where it should be told the one that it is built
   for: as for Linux it does not compile, and would take `long` for 64 bits. deploy/release puts this before all C for Windows. */
#undef linux
#define win64 1
