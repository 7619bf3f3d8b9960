import Benchmark
import RingCore
import RingTransport

/// How long a frame's header takes to write and to read back.
func registerHeaders() {
    let header = FrameHeader(
        kind: .data, communicator: 1, epoch: 0, sequence: 12345,
        signature: OperationSignature(
            collective: .allReduce, dataType: .float32, op: .sum, elementCount: 1 << 20, root: nil,
            algorithm: AlgorithmCode(name: "ring")),
        length: 1 << 20)
    let configuration = Benchmark.Configuration(
        metrics: [.throughput, .wallClock], scalingFactor: .kilo, maxDuration: .milliseconds(300))
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: FrameHeader.byteCount, alignment: 64)
    Benchmark("header, encode", configuration: configuration) { benchmark in
        for _ in benchmark.scaledIterations {
            header.encode(to: bytes)
            blackHole(bytes)
        }
    }
    Benchmark("header, decode", configuration: configuration) { benchmark in
        header.encode(to: bytes)
        for _ in benchmark.scaledIterations {
            blackHole(try FrameHeader(decoding: bytes))
        }
    }
}
