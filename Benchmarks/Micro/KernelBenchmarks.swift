import Benchmark
import RingCore
import RingKernels

/// Every reduction in place, `own = own op received`, which reads two buffers and writes one; and a sum into a third
/// buffer.
func registerReductions(in place: Place) {
    let operators: [(name: String, op: ReductionOperator, divisor: Int?)] = [
        ("sum", .sum, nil), ("product", .product, nil), ("min", .min, nil), ("max", .max, nil),
        ("average of 4", .average, 4), ("average of 3", .average, 3),
    ]
    let comparison = Comparison(traffic: 3 * place.byteCount, repetitions: place.repetitions)
    for dataType in DataType.allCases {
        let count = place.byteCount / dataType.byteCount
        for (name, op, divisor) in operators {
            let kernel = ReductionKernel(dataType, op, divisor: divisor)
            Benchmark(
                "\(place.rawValue), \(dataType.name), \(name)",
                configuration: Comparison.configuration(in: place)
            ) { benchmark in
                let buffers = KernelBuffers.buffers(in: place)
                let (own, received) = (buffers.first.start, buffers.second.start)
                comparison.measure(benchmark, copyTo: buffers.third, from: buffers.second) {
                    kernel(own, own, received, count: count)
                }
            }
        }
        let kernel = ReductionKernel(dataType, .sum)
        Benchmark(
            "\(place.rawValue), \(dataType.name), sum out of place",
            configuration: Comparison.configuration(in: place)
        ) { benchmark in
            let buffers = KernelBuffers.buffers(in: place)
            comparison.measure(benchmark, copyTo: buffers.third, from: buffers.second) {
                kernel(buffers.third.start, buffers.first.start, buffers.second.start, count: count)
            }
        }
    }
}

/// Every cast; the float32 side is the larger buffer.
func registerCasts(in place: Place) {
    let count = place.byteCount / DataType.float32.byteCount
    for source in DataType.allCases {
        for destination in DataType.allCases {
            guard let kernel = CastKernel(from: source, to: destination) else { continue }
            let comparison = Comparison(
                traffic: count * (source.byteCount + destination.byteCount), repetitions: place.repetitions)
            Benchmark(
                "\(place.rawValue), \(source.name), cast to \(destination.name)",
                configuration: Comparison.configuration(in: place)
            ) { benchmark in
                let buffers = KernelBuffers.buffers(in: place)
                comparison.measure(benchmark, copyTo: buffers.third, from: buffers.second) {
                    kernel(buffers.first.start, buffers.second.start, count: count)
                }
            }
        }
    }
}

/// The buffers that all kernels in one place work on.
struct KernelBuffers: Sendable {
    let first: Buffer
    let second: Buffer
    let third: Buffer

    private init(_ place: Place) {
        // A copy that moves as much as a reduction is half as long again.
        let size = place.byteCount / 2 * 3
        first = Buffer(byteCount: size, offset: 0)
        second = Buffer(byteCount: size, offset: 1088)
        third = Buffer(byteCount: size, offset: 2176)
    }

    private static let inCache = KernelBuffers(.cache)
    private static let inMemory = KernelBuffers(.memory)

    /// The buffers in a place, made when they are first asked for.
    static func buffers(in place: Place) -> KernelBuffers {
        switch place {
        case .cache: inCache
        case .memory: inMemory
        }
    }
}
