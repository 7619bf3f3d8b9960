import RingBenchCommand

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

exit(BenchmarkProgram.run(arguments: Array(CommandLine.arguments.dropFirst())))
