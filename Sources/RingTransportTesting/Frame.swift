import RingCore
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A frame with a payload that can be recognized.
struct Frame: Sendable {
    var header: FrameHeader
    var payload: [UInt8]

    /// A frame of that many bytes, different from those of other numbers.
    init(number: Int, byteCount: Int) {
        header = .sample(number: number, length: byteCount)
        payload = Self.pattern(byteCount, seed: UInt64(number))
    }

    /// Bytes without a period that a mistake could hide behind (G. L. Steele et al., SplitMix64, 2014).
    static func pattern(_ byteCount: Int, seed: UInt64) -> [UInt8] {
        let words = (byteCount + 7) / 8
        return [UInt8](unsafeUninitializedCapacity: words * 8) { buffer, count in
            var state = seed &* 0x9E37_79B9_7F4A_7C15
            let raw = UnsafeMutableRawBufferPointer(buffer)
            for word in 0..<words {
                state = state &+ 0x9E37_79B9_7F4A_7C15
                var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
                mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
                raw.storeBytes(of: mixed ^ (mixed >> 31), toByteOffset: word * 8, as: UInt64.self)
            }
            count = byteCount
        }
    }

    /// Whether these bytes are the payload's from `offset` on.
    func contains(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        guard !bytes.isEmpty else { return true }
        guard offset + bytes.count <= payload.count else { return false }
        return payload.withUnsafeBytes {
            memcmp($0.baseAddress! + offset, bytes.baseAddress!, bytes.count) == 0
        }
    }
}

extension FrameHeader {
    /// A header with a number to know it by.
    static func sample(number: Int, length: Int) -> FrameHeader {
        FrameHeader(
            kind: .data, communicator: 7, epoch: 2, sequence: UInt64(number),
            signature: OperationSignature(
                collective: .allReduce, dataType: .float32, op: .sum, elementCount: length / 4, root: nil,
                algorithm: AlgorithmCode(name: "ring")),
            chunk: UInt32(truncatingIfNeeded: number), offset: UInt64(number) * 3, length: UInt32(length))
    }
}
