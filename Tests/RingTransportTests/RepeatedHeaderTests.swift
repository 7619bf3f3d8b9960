import RingCore
import RingTransport
import Testing

@Suite struct RepeatedHeaderTests {
    private static func sample(_ sequence: UInt64) -> FrameHeader {
        FrameHeader(
            kind: .data, communicator: 3, epoch: 1, sequence: sequence,
            signature: OperationSignature(
                collective: .sendReceive, dataType: .int16, op: nil, elementCount: 4, root: nil,
                algorithm: AlgorithmCode(name: "direct"), detail: 9), length: 8)
    }

    private static func bytes(_ header: FrameHeader) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount)
        bytes.withUnsafeMutableBytes { header.encode(to: $0.baseAddress!) }
        return bytes
    }

    @Test(arguments: [0, 1, 2, 0x0123_4567_89AB_CDEF, .max] as [UInt64])
    func isWhatAHeaderWithItsNumberIs(_ number: UInt64) {
        let repeated = RepeatedHeader(Self.sample(7))
        for sequence in [7, number, number, number &+ 1, 7] {
            repeated.number(sequence)
            let header = Self.sample(sequence)
            var copied = [UInt8](repeating: 0xEE, count: FrameHeader.byteCount)
            copied.withUnsafeMutableBytes { repeated.copy(to: $0.baseAddress!) }
            #expect(copied == Self.bytes(header))
            #expect(repeated.header == header)
        }
    }

    @Test func everyBitCounts() {
        let repeated = RepeatedHeader(Self.sample(0))
        repeated.number(5)
        var bytes = [0] + Self.bytes(Self.sample(5))
        // One byte further, so that the bytes are not aligned.
        func isEqual() -> Bool { bytes.withUnsafeBytes { repeated.isEqual(to: $0.baseAddress! + 1) } }
        #expect(isEqual())
        for bit in 0..<(FrameHeader.byteCount * 8) {
            bytes[1 + bit / 8] ^= 1 << (bit % 8)
            #expect(!isEqual(), "bit \(bit)")
            bytes[1 + bit / 8] ^= 1 << (bit % 8)
        }
        #expect(isEqual())
    }
}
