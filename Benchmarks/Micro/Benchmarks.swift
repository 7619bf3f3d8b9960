import Benchmark

/// What `make bench-micro` measures.
let benchmarks: @Sendable () -> Void = {
    for place in Place.allCases {
        registerReductions(in: place)
        registerCasts(in: place)
        registerEncodings(in: place)
    }
    registerPlanning()
    registerHeaders()
}
