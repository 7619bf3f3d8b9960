import RingCore
import RingTransport
import Testing

@Suite struct FrameHeaderTests {
    private static let sample = FrameHeader(
        kind: .data, communicator: 0x0403_0201, epoch: 0x0807_0605, sequence: 0x1817_1615_1413_1211,
        signature: OperationSignature(
            collective: .broadcast, dataType: .int16, op: .max, elementCount: 0x2827_2625_2423_2221,
            root: 0x5453_5251,
            algorithm: AlgorithmCode(rawValue: 0x6463_6261), detail: 0x4847_4645, codec: 0x7F),
        chunk: 0x0C0B_0A09, offset: 0x3837_3635_3433_3231, length: 0x4443_4241)

    private static func bytes(_ header: FrameHeader) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: FrameHeader.byteCount)
        bytes.withUnsafeMutableBytes { header.encode(to: $0.baseAddress!) }
        return bytes
    }

    private static func decoded(_ bytes: [UInt8]) throws(FrameHeader.DecodingError) -> FrameHeader {
        // One byte further, so that the bytes are not aligned.
        let shifted = [0] + bytes
        let result = shifted.withUnsafeBytes { raw in
            Result { () throws(FrameHeader.DecodingError) in try FrameHeader(decoding: raw.baseAddress! + 1) }
        }
        return try result.get()
    }

    /// The checksum as the protocol's description words it.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        func word(_ part: ArraySlice<UInt8>) -> UInt64 { part.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        var sum: UInt64 = 0x9E37_79B9_7F4A_7C15
        for start in stride(from: 0, to: 60, by: 8) {
            sum = (sum ^ word(bytes[start..<min(start + 8, 60)])) &* 0xFF51_AFD7_ED55_8CCD
            sum ^= sum >> 32
        }
        return UInt32(truncatingIfNeeded: sum)
    }

    @Test func everyFieldHasItsPlace() {
        let bytes = Self.bytes(Self.sample)
        var expected: [UInt8] = [0x52, 0x43, 2, 1]
        expected += 0x01...0x0C
        expected += 0x11...0x18
        expected += 0x21...0x28
        expected += 0x31...0x38
        expected += 0x41...0x48
        expected += [4, 6, 4, 0x7F]
        expected += 0x51...0x54
        expected += 0x61...0x64
        #expect(Array(bytes[..<60]) == expected)
        let sum = Self.checksum(bytes[..<60])
        #expect(Array(bytes[60...]) == withUnsafeBytes(of: sum.littleEndian) { Array($0) })
    }

    @Test func absentFieldsHaveTheirCodes() throws {
        var header = Self.sample
        header.kind = .control
        header.signature.op = nil
        header.signature.root = nil
        let bytes = Self.bytes(header)
        #expect(bytes[3] == 2)
        #expect(bytes[50] == 0)
        #expect(Array(bytes[52..<56]) == [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(try Self.decoded(bytes) == header)
    }

    @Test func comesBackAsItWas() throws {
        #expect(try Self.decoded(Self.bytes(Self.sample)) == Self.sample)
    }

    @Test func noticesEveryFlippedBit() throws {
        for header in [Self.sample, Self.plain] {
            let bytes = Self.bytes(header)
            for bit in 0..<(FrameHeader.byteCount * 8) {
                var corrupt = bytes
                corrupt[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(throws: FrameHeader.DecodingError.self, "bit \(bit)") { try Self.decoded(corrupt) }
            }
        }
    }

    @Test func noticesEveryOtherByte() throws {
        let bytes = Self.bytes(Self.plain)
        for place in bytes.indices {
            var corrupt = bytes
            for value in UInt8.min...UInt8.max where value != bytes[place] {
                corrupt[place] = value
                #expect(throws: FrameHeader.DecodingError.self, "byte \(place)") { try Self.decoded(corrupt) }
            }
        }
    }

    private static let plain = FrameHeader(
        kind: .data, communicator: 0, epoch: 0, sequence: 0,
        signature: OperationSignature(
            collective: .allReduce, dataType: .float32, op: .sum, elementCount: 0, root: nil,
            algorithm: AlgorithmCode(name: "ring")),
        length: 0)

    @Test func saysWhatIsWrong() throws {
        func failure(_ place: Int, _ value: UInt8, isSigned: Bool) -> FrameHeader.DecodingError? {
            var bytes = Self.bytes(Self.plain)
            bytes[place] = value
            if isSigned {
                let sum = Self.checksum(bytes[..<60])
                bytes.replaceSubrange(60..., with: withUnsafeBytes(of: sum.littleEndian) { Array($0) })
            }
            do {
                _ = try Self.decoded(bytes)
                return nil
            } catch { return error }
        }
        #expect(failure(0, 0x47, isSigned: true) == .magic(0x4347))
        #expect(failure(2, 9, isSigned: true) == .version(9))
        #expect(failure(20, 1, isSigned: false) == .checksum)
        #expect(failure(3, 0, isSigned: true) == .field("kind", 0))
        #expect(failure(3, 3, isSigned: true) == .field("kind", 3))
        #expect(failure(31, 0x80, isSigned: true) == .field("element count", 1 << 63))
        #expect(failure(48, 0, isSigned: true) == .field("collective", 0))
        #expect(failure(48, 11, isSigned: true) == .field("collective", 11))
        #expect(failure(49, 13, isSigned: true) == .field("data type", 13))
        #expect(failure(50, 6, isSigned: true) == .field("op", 6))
        #expect("\(FrameHeader.DecodingError.version(9))".contains("version 9"))
        #expect("\(FrameHeader.DecodingError.field("op", 6))" == "the frame header's op cannot be 6")
    }
}

@Suite struct OperationSignatureTests {
    @Test func codesAreFNVHashes() {
        // Published values of the 32-bit FNV-1a hash.
        #expect(AlgorithmCode(name: "").rawValue == 0x811C_9DC5)
        #expect(AlgorithmCode(name: "a").rawValue == 0xE40C_292C)
        #expect(AlgorithmCode(name: "foobar").rawValue == 0xBF9C_F968)
    }

    @Test(arguments: [
        "ring", "binomial-tree", "pipelined-ring", "dissemination", "recursive-doubling", "none",
    ])
    func codesOfKnownNamesReadAsNames(_ name: String) {
        #expect("\(AlgorithmCode(name: name))" == name)
    }

    @Test func otherCodesReadAsNumbers() {
        #expect("\(AlgorithmCode(rawValue: 0xAB))" == "plans ab")
    }

    @Test func readsAsTheCall() {
        var signature = OperationSignature(
            collective: .allReduce, dataType: .float32, op: .sum, elementCount: 1000, root: nil,
            algorithm: AlgorithmCode(name: "ring"))
        #expect("\(signature)" == "all-reduce of 1000 float32, sum (ring)")
        signature.collective = .broadcast
        signature.op = nil
        signature.root = 3
        #expect("\(signature)" == "broadcast of 1000 float32, root 3 (ring)")
        signature.collective = .barrier
        #expect("\(signature)" == "barrier (ring)")
        signature.collective = .sendReceive
        signature.detail = 7
        #expect("\(signature)" == "send-recv of 1000 float32, tag 7")
        signature.collective = .allGather
        #expect("\(signature)" == "all-gather of 1000 float32 in counts 7, root 3 (ring)")
    }

    @Test func readsAsTheCallByCounts() {
        var signature = OperationSignature(
            collective: .gather, dataType: .int8, op: nil, elementCount: 0, root: 2,
            algorithm: AlgorithmCode(name: "direct"), detail: OperationSignature.byCounts)
        #expect("\(signature)" == "gather of int8 by counts, root 2 (direct)")
        signature.elementCount = 5
        #expect("\(signature)" == "gather of 5 int8 by counts, root 2 (direct)")
        signature.collective = .sendReceive
        #expect("\(signature)" == "send-recv of 5 int8, tag 4294967295")
        signature.algorithm = .split
        #expect("\(signature)" == "split")
    }

    @Test func digestsTellCountsApart() {
        let digests = [[1, 2, 3], [3, 2, 1], [1, 2], [6], [0, 6], [6, 0], [0], []].map(
            OperationSignature.digest(ofCounts:))
        #expect(Set(digests).count == digests.count)
        #expect(!digests.contains(0))
    }
}
