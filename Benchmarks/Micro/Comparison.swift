import Benchmark
import RingCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A kernel measured beside a plain copy, both by the bytes that they read and write in a second.
struct Comparison {
    /// The bytes that one run of the kernel reads and writes.
    let traffic: Int
    let repetitions: Int

    private static var kernelRate: BenchmarkMetric {
        .custom("traffic (MB/s)", polarity: .prefersLarger, useScalingFactor: false)
    }
    private static var copyRate: BenchmarkMetric {
        .custom("memcpy (MB/s)", polarity: .prefersLarger, useScalingFactor: false)
    }

    /// Both rates, of 10^6 bytes a second, in enough rounds for a median.
    static func configuration(in place: Place) -> Benchmark.Configuration {
        Benchmark.Configuration(
            metrics: [.throughput, kernelRate, copyRate], warmupIterations: 1,
            maxDuration: place == .memory ? .milliseconds(400) : .milliseconds(100), maxIterations: 200)
    }

    /// Runs the kernel, and then a copy that reads and writes as much, so that whatever slows the machine down
    /// meets both.
    func measure(_ benchmark: Benchmark, copyTo destination: Buffer, from source: Buffer, kernel: () -> Void)
    {
        let kernelSeconds = seconds(kernel)
        let copySeconds = seconds { memcpy(destination.start, source.start, traffic / 2) }
        benchmark.measurement(Self.kernelRate, rate(kernelSeconds))
        benchmark.measurement(Self.copyRate, rate(copySeconds))
    }

    private func seconds(_ run: () -> Void) -> Double {
        // Not timed: brings the buffers to where they are to be.
        if repetitions > 1 { run() }
        let start = Deadline.now.nanoseconds
        for _ in 0..<repetitions { run() }
        return Double(Deadline.now.nanoseconds - start) * 1e-9
    }

    private func rate(_ seconds: Double) -> Int {
        Int(Double(traffic * repetitions) / seconds * 1e-6)
    }
}
