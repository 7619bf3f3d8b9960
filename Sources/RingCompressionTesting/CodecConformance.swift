package import RingCompression
import RingCore

/// The suite that every codec must pass.
///
/// It knows nothing of any testing library: ``run(_:)`` throws, and whoever calls it reports.
package struct CodecConformance {
    let codec: any Codec
    /// The numbers of elements that are tried.
    let counts: [Int]

    /// A suite for a codec.
    package init(_ codec: any Codec) {
        self.codec = codec
        let block = codec.blockSize
        counts = [
            0, 1, 2, 3, 7, 8, 9, 31, 64, 100, 255, 256, 257, 1000, 4096, block - 1, block, block + 1,
            5 * block + 3,
        ]
    }

    /// One thing that a codec must do.
    package enum Case: String, CaseIterable, Sendable, CustomStringConvertible {
        case saysItsSize = "writes as many bytes as it says"
        case staysWithinBound = "decodes within its error bound"
        case repeatsItself = "encodes the same in the same bytes, wherever it lies"
        case encodesBlocksApart = "encodes segments as their parts"
        case keepsZeros = "keeps zeros"
        case keepsNaN = "decodes the block of a NaN as NaN, and no other"
        case keepsInfinities = "never makes a number of an infinity, nor another one of its neighbours"
        case managesExtremes = "manages subnormal and huge numbers"
        case addsAsItDecodes = "adds as it decodes"
        case addsAsItEncodes = "adds as it encodes"
        case keepsErrors = "keeps what it takes away"
        case refusesOtherLengths = "refuses segments that are cut off or too long"
        case survivesGarbage = "survives bytes that nobody encoded"

        package var description: String { rawValue }
    }

    /// Runs one case. Throws a ``ConformanceFailure``, or the codec's own error where it should not have failed.
    package func run(_ testCase: Case) throws {
        switch testCase {
        case .saysItsSize: try saysItsSize()
        case .staysWithinBound: try staysWithinBound()
        case .repeatsItself: try repeatsItself()
        case .encodesBlocksApart: try encodesBlocksApart()
        case .keepsZeros: try keepsZeros()
        case .keepsNaN: try keepsNaN()
        case .keepsInfinities: try keepsInfinities()
        case .managesExtremes: try managesExtremes()
        case .addsAsItDecodes: try addsAsItDecodes()
        case .addsAsItEncodes: try addsAsItEncodes()
        case .keepsErrors: try keepsErrors()
        case .refusesOtherLengths: try refusesOtherLengths()
        case .survivesGarbage: try survivesGarbage()
        }
    }

    // MARK: Whole segments as arrays

    var elementSize: Int { codec.dataType.byteCount }

    /// The segment of some elements, made at the end of memory with as much room as the codec asks for.
    func encode(_ elements: [UInt8], at position: EncodingPosition = EncodingPosition()) throws -> [UInt8] {
        let count = elements.count / elementSize
        let largest = codec.largestByteCount(count)
        let source = GuardedMemory(capacity: elements.count)
        let destination = GuardedMemory(capacity: largest)
        let written = codec.encode(
            source.last(elements).baseAddress!, count: count, into: destination.last(largest).baseAddress!,
            at: position)
        try expect(
            written >= 0 && written <= largest,
            "\(count) elements take \(written) bytes, at most \(largest) said")
        return Array(destination.last(largest).prefix(written))
    }

    /// The elements of a segment.
    func decode(_ segment: [UInt8], count: Int) throws -> [UInt8] {
        let source = GuardedMemory(capacity: segment.count)
        let destination = GuardedMemory(capacity: count * elementSize)
        let room = destination.last(count * elementSize)
        try codec.decode(source.last(segment), count: count, into: room.baseAddress!)
        return Array(room)
    }

    /// What some float32 arrive as.
    func arrived(_ values: [Float], at position: EncodingPosition = EncodingPosition()) throws -> [Float] {
        try floats(decode(encode(bytes(values), at: position), count: values.count))
    }

    /// Holds what arrived against what was sent and the codec's bound.
    func expectWithinBound(_ arrived: [Float], _ sent: [Float], _ what: String) throws {
        for start in stride(from: 0, to: sent.count, by: codec.blockSize) {
            let block = start..<min(start + codec.blockSize, sent.count)
            let bound = codec.errorBound(largest: sent[block].map(\.magnitude).max()!)
            for index in block {
                let error = (Double(arrived[index]) - Double(sent[index])).magnitude
                try expect(
                    error <= bound,
                    "\(what): element \(index) of \(sent.count), \(sent[index]), arrived as \(arrived[index]): "
                        + "the bound is \(bound)")
            }
        }
    }
}

/// The bytes of float32.
package func bytes(_ values: [Float]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

/// The float32 of bytes.
package func floats(_ bytes: [UInt8]) -> [Float] {
    bytes.withUnsafeBytes { raw in
        (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
}
