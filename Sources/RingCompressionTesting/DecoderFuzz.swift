import RingCompression
import RingCore

/// Decoding of anything by any codec, for a fuzzer to drive.
///
/// An input is the codec's number (a byte), the elements that it is to hold (two bytes, little-endian), and the
/// segment. Whatever it is, the codec must either decode or refuse it; the memory around is guarded.
package struct DecoderFuzz: Sendable {
    private let codecs: [any Codec]

    /// The decoders of this build.
    package init() {
        let compressions: [Compression] = [
            .float16, .bfloat16, .int8(), .int4(), .int8(blockSize: 32), .int4(blockSize: 4096), .lz4,
            Compression.int8().followedByLZ4(), Compression.int4().followedByLZ4(),
        ]
        var codecs = compressions.compactMap { try? $0.codec(for: .float32) }
        // LZ4 alone takes other types.
        codecs += DataType.allCases.filter { $0 != .float32 }.compactMap {
            try? Compression.lz4.codec(for: $0)
        }
        self.codecs = codecs
    }

    /// Decodes one input. Throws a ``ConformanceFailure`` if it is refused with an error that is not one line.
    package func run(_ input: some Collection<UInt8>) throws {
        guard input.count >= 3 else { return }
        let input = Array(input)
        let codec = codecs[Int(input[0]) % codecs.count]
        let count = Int(input[1]) | Int(input[2]) << 8
        try CodecConformance(codec).tryDecoding(Array(input[3...]), count)
    }

    /// Inputs to start from: what every codec makes of a few samples.
    package func seeds() -> [(name: String, input: [UInt8])] {
        codecs.indices.flatMap { index in
            [1, 65, 300].map { count in
                let codec = codecs[index]
                var samples = Samples(seed: UInt64(count))
                let elements = bytes(samples.floats(count * codec.dataType.byteCount / 4 + 1, .sparse))
                var segment = [UInt8](repeating: 0, count: codec.largestByteCount(count))
                let written = segment.withUnsafeMutableBytes { segment in
                    elements.withUnsafeBytes {
                        codec.encode(
                            $0.baseAddress!, count: count, into: segment.baseAddress!, at: EncodingPosition())
                    }
                }
                let head = [UInt8(index), UInt8(count & 0xFF), UInt8(count >> 8)]
                let name = "\(codec.name)-\(codec.dataType.name)-\(count)".map {
                    $0 == "/" || $0 == "+" ? "-" : $0
                }
                return (String(name), head + segment[..<written])
            }
        }
    }

    /// A corpus's inputs changed at random: the same for the same number.
    package static func mutated(_ corpus: [[UInt8]], number: UInt64) -> [UInt8] {
        var samples = Samples(seed: number)
        func below(_ limit: Int) -> Int { Int(samples.next() % UInt64(max(1, limit))) }
        var input = corpus[below(corpus.count)]
        for _ in 0...below(4) {
            let place = below(input.count)
            switch below(8) {
            case 0 where !input.isEmpty: input[place] ^= 1 << UInt8(below(8))
            case 1 where !input.isEmpty: input[place] = UInt8(below(256))
            case 2 where !input.isEmpty: input[place] = [0, 1, 0x7F, 0x80, 0xFF][below(5)]
            case 3: input.removeLast(below(input.count))
            case 4: input.append(contentsOf: samples.bytes(below(40)))
            case 5 where !input.isEmpty: input.removeSubrange(place..<min(input.count, place + 1 + below(8)))
            case 6: input.insert(contentsOf: samples.bytes(1 + below(8)), at: place)
            default:
                let other = corpus[below(corpus.count)]
                let from = below(other.count)
                input.replaceSubrange(place..<input.count, with: other[from...])
            }
        }
        return input
    }
}
