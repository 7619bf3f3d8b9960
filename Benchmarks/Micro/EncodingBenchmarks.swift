import Benchmark
import RingCore
import RingKernels

/// Every encoding, by the float32 bytes that it encodes or decodes, beside a copy of as many.
func registerEncodings(in place: Place) {
    let count = place.byteCount / DataType.float32.byteCount
    let comparison = Comparison(traffic: 2 * place.byteCount, repetitions: place.repetitions)
    let encodings: [(Encoding, blockSize: Int)] = [(.float16, 1), (.bfloat16, 1), (.int8, 256), (.int4, 64)]
    for (encoding, blockSize) in encodings {
        let kernel = EncodingKernel(encoding, blockSize: blockSize)
        func register(_ name: String, _ run: @escaping @Sendable (KernelBuffers) -> Void) {
            Benchmark(
                "\(place.rawValue), \(encoding), \(name)", configuration: Comparison.configuration(in: place)
            ) { benchmark in
                let buffers = KernelBuffers.buffers(in: place)
                _ = kernel.encode(buffers.second.start, buffers.first.start, count: count)
                comparison.measure(benchmark, copyTo: buffers.third, from: buffers.first) { run(buffers) }
            }
        }
        register("encode") { _ = kernel.encode($0.third.start, $0.first.start, count: count) }
        register("decode") { _ = kernel.decode($0.third.start, $0.second.start, count: count) }
        register("decode and add") {
            _ = kernel.decode($0.third.start, $0.second.start, adding: $0.first.start, count: count)
        }
        register("decode, add and encode") {
            _ = kernel.encode($0.third.start, $0.first.start, adding: $0.second.start, count: count)
        }
    }
}
