import RingCompression
import RingCore
import Testing

@testable import RingTrainCommand

/// Gradients of real images, encoded: what the codecs are for.
@Suite struct GradientCompressionTests {
    private static let compressions: [Compression] = [
        .float16, .bfloat16, .int8(), .int4(), .int8(rounding: .stochastic(seed: 3)),
        .int4(rounding: .stochastic(seed: 4)),
    ]

    /// The gradients of the handwritten digits, early in training, when most of the network learns.
    private static let gradient: Result<[Float], any Error> = Result {
        var settings = TrainingSettings.recommended(for: .digits, .mlp)
        settings.epochs = 1
        let trainer = Trainer(
            settings: settings, dataset: try DatasetName.digits.load(directory: nil), exchange: SoloExchange()
        )
        _ = try trainer.run()
        _ = try trainer.computeGradient(samples: Array(0..<64)[...])
        return Array(trainer.gradient.elements)
    }

    @Test(arguments: compressions)
    func staysWithinTheBound(_ compression: Compression) throws {
        let gradient = try Self.gradient.get()
        let codec = try #require(try compression.codec(for: .float32))
        let arrived = try Self.arrived(gradient, codec)
        for start in stride(from: 0, to: gradient.count, by: codec.blockSize) {
            let block = start..<min(start + codec.blockSize, gradient.count)
            let bound = codec.errorBound(largest: gradient[block].map(\.magnitude).max()!)
            for index in block {
                guard (Double(arrived[index]) - Double(gradient[index])).magnitude <= bound else {
                    Issue.record("\(gradient[index]) arrives as \(arrived[index]), the bound is \(bound)")
                    return
                }
            }
        }
    }

    /// How much of a gradient is lost, by the root of the mean square: what `Docs/Compression.md` says of codecs.
    @Test(arguments: [(Compression.float16, 0.001), (.bfloat16, 0.004), (.int8(), 0.02), (.int4(), 0.25)])
    func losesLittle(_ compression: Compression, _ share: Double) throws {
        let gradient = try Self.gradient.get()
        let codec = try #require(try compression.codec(for: .float32))
        let arrived = try Self.arrived(gradient, codec)
        let lost = zip(gradient, arrived).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        let whole = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect((lost / whole).squareRoot() < share)
    }

    private static func arrived(_ values: [Float], _ codec: any Codec) throws -> [Float] {
        var segment = [UInt8](repeating: 0, count: codec.largestByteCount(values.count))
        var result = values
        try segment.withUnsafeMutableBytes { segment in
            let written = values.withUnsafeBytes {
                codec.encode(
                    $0.baseAddress!, count: values.count, into: segment.baseAddress!, at: EncodingPosition())
            }
            try result.withUnsafeMutableBytes {
                try codec.decode(
                    UnsafeRawBufferPointer(rebasing: segment[..<written]), count: values.count,
                    into: $0.baseAddress!)
            }
        }
        return result
    }
}
