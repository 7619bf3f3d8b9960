import RingCore
import RingTestSupport
import RingTransport
import Testing

@testable import RingCollectives

/// Control messages as bytes: what is written is read, and nothing else is accepted.
@Suite struct ControlMessageTests {
    private static let verdicts = [
        Verdict(code: .peerLost, message: "rank 3 is gone", culprit: 3),
        Verdict(code: .timedOut, message: "", culprit: nil, isUrgent: false),
        Verdict(code: .init(rawValue: ""), message: "ränge 🧵 \0\n", culprit: 0),
        Verdict(code: .init(rawValue: "of-a-later-version"), message: "x", culprit: Rank(UInt32.max) - 1),
        Verdict(
            code: .init(rawValue: String(repeating: "c", count: 4096)),
            message: String(repeating: "m", count: 4096), culprit: 1),
    ]

    private static let statuses: [OperationStatus] = {
        let least = OperationSignature(
            collective: .barrier, dataType: .float32, op: nil, elementCount: 0, root: nil,
            algorithm: AlgorithmCode(rawValue: 0))
        let most = OperationSignature(
            collective: .sendReceive, dataType: .uint64, op: .average, elementCount: .max,
            root: Rank(UInt32.max) - 1, algorithm: AlgorithmCode(rawValue: .max))
        return [
            OperationStatus(sequence: 0, timeoutMilliseconds: 0),
            OperationStatus(
                sequence: 1, signature: least, previous: nil, waitingFor: 0, received: 1,
                timeoutMilliseconds: 300_000, remainingMilliseconds: 1),
            OperationStatus(sequence: 2, signature: nil, previous: most, timeoutMilliseconds: 1),
            OperationStatus(
                sequence: .max, signature: most, previous: least, waitingFor: Rank(UInt32.max) - 1,
                received: .max, timeoutMilliseconds: .max, remainingMilliseconds: .max),
        ]
    }()

    private static let messages: [ControlMessage] =
        [.ready, .goodbye, .probe(0), .probe(.max)]
        + verdicts.flatMap {
            [.failed($0), .verdict($0), .suspect(0, $0), .suspect(Rank(UInt32.max), $0)]
        }
        + statuses.flatMap { [.stalled($0), .expiring($0), .status(0, $0), .status(.max, $0)] }

    @Test func whatIsWrittenIsRead() throws {
        for message in Self.messages {
            let bytes = message.bytes
            #expect(bytes.count <= ControlMessage.largestByteCount)
            #expect(try ControlMessage(bytes) == message)
        }
    }

    @Test func everySignatureIsRead() throws {
        for collective in Collective.allCases {
            for dataType in DataType.allCases {
                for op in ReductionOperator.allCases.map(Optional.some) + [nil] {
                    let message = ControlMessage.stalled(
                        OperationStatus(
                            sequence: 1,
                            signature: OperationSignature(
                                collective: collective, dataType: dataType, op: op, elementCount: 9, root: 0,
                                algorithm: AlgorithmCode(name: "ring")), timeoutMilliseconds: 1))
                    #expect(try ControlMessage(message.bytes) == message)
                }
            }
        }
    }

    @Test func longTextsAreShortenedAndStillRead() throws {
        let message = String(repeating: "ä", count: 100_000)
        let bytes = ControlMessage.failed(Verdict(code: .system, message: message, culprit: 1)).bytes
        #expect(bytes.count <= ControlMessage.largestByteCount)
        guard case .failed(let verdict) = try ControlMessage(bytes) else {
            Issue.record("another kind of message")
            return
        }
        #expect(verdict.message == String(repeating: "ä", count: 2048))
        #expect(verdict.culprit == 1)
    }

    @Test func everyTruncationIsRefused() {
        for message in Self.messages {
            let bytes = message.bytes
            for length in bytes.indices {
                #expect(throws: WireError.self) { try ControlMessage(Array(bytes[..<length])) }
            }
        }
    }

    @Test func trailingBytesAreRefused() {
        for message in Self.messages {
            for extra in [[0], [255], Array(repeating: UInt8(8), count: 9)] {
                #expect(throws: WireError.self) { try ControlMessage(message.bytes + extra) }
            }
        }
    }

    @Test(arguments: [UInt8(0)] + Array(10...255)) func unknownKindsAreRefused(kind: UInt8) {
        #expect(throws: WireError.self) { try ControlMessage([kind] + Array(repeating: 0, count: 64)) }
    }

    @Test func unknownOperationsAreRefused() {
        // Kind 3: the sequence, whom it waits for, and three numbers precede the signature.
        let front = [UInt8(3)] + Array(repeating: 0, count: 8 + 4 + 8 + 8 + 8)
        func signature(_ codes: [UInt8], countTop: UInt8 = 0) -> [UInt8] {
            let count = Array(repeating: UInt8(0), count: 7) + [countTop]
            return front + codes + count + Array(repeating: 0, count: 13) + [0]
        }
        #expect(throws: Never.self) { try ControlMessage(signature([1, 1, 1])) }
        for codes in [[11, 1, 1], [255, 1, 1], [1, 0, 1], [1, 13, 1], [1, 1, 6], [1, 1, 255]] as [[UInt8]] {
            #expect(throws: WireError.self) { try ControlMessage(signature(codes)) }
        }
        // More elements than can be counted.
        #expect(throws: WireError.self) { try ControlMessage(signature([1, 1, 1], countTop: 0x80)) }
    }

    /// Whatever is accepted is a message like any other; the rest is refused. Half of the strings are damaged
    /// messages, since few random ones get past the first field.
    @Test func randomBytesAreReadOrRefused() throws {
        var random = SplitMix64(state: 20)
        var (accepted, refused) = (0, 0)
        for index in 0..<2_000 {
            var bytes: [UInt8]
            if index.isMultiple(of: 2) {
                bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                if !bytes.isEmpty { bytes[0] %= 12 }
            } else {
                bytes = Self.messages.randomElement(using: &random)!.bytes
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    bytes[bytes.indices.randomElement(using: &random)!] = .random(in: 0...255, using: &random)
                }
            }
            if let message = try? ControlMessage(bytes) {
                accepted += 1
                #expect(try ControlMessage(message.bytes) == message)
            } else {
                refused += 1
            }
        }
        #expect(accepted > 0 && refused > 0)
    }
}
