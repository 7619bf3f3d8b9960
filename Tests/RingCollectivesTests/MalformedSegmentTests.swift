import RingCollectives
import RingCompression
import RingCore
import Testing

/// What a peer sends that no encoder has made is an error on all ranks, which names whoever sent it.
@Suite struct MalformedSegmentTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var compression: Compression
        /// What the error says besides.
        var complaint: String
        var change: HostileTransport.Change

        var testDescription: String { "\(compression.name), \(name)" }

        init(
            _ compression: Compression, _ name: String, _ complaint: String,
            _ change: @escaping HostileTransport.Change
        ) {
            self.name = name
            self.compression = compression
            self.complaint = complaint
            self.change = change
        }
    }

    private static let cutShort: HostileTransport.Change = { $0.removeLast() }
    private static let tooLong: HostileTransport.Change = { $0.append(0) }
    private static let garbage: HostileTransport.Change = { bytes in
        // Of the form that says LZ4: a match that reaches back to before the start.
        bytes = [1] + [UInt8](repeating: 0xFF, count: min(100, bytes.count - 1))
    }

    static let cases: [Case] = {
        let exact: [Compression] = [.float16, .bfloat16, .int8(), .int4()]
        var cases = exact.flatMap {
            [Case($0, "cut short", "where", cutShort), Case($0, "too long", "where", tooLong)]
        }
        // The sign of a scale is the highest bit of the last of its bytes.
        cases += [
            Case(.int8(), "absurd scale", "absurd scale") { $0[3] |= 0x80 },
            Case(.int4(), "absurd scale", "absurd scale") { $0[1] |= 0x80 },
        ]
        cases.append(
            Case(.lz4, "elements without zeros that are too few", "without zeros") {
                $0 = [3] + [UInt8](repeating: 0xFF, count: min(100, $0.count - 1))
            })
        for compression in [Compression.lz4, Compression.int8().followedByLZ4()] {
            cases += [
                Case(compression, "empty", "where") { $0 = [] },
                Case(compression, "its first byte alone", "a segment") { $0 = [1] },
                Case(compression, "unknown form", "unknown form 7") { $0[0] = 7 },
                Case(compression, "garbage", "a segment", garbage),
            ]
        }
        return cases.filter { (try? $0.compression.codec(for: .float32)) != nil }
    }()

    @Test(arguments: cases, [Kind.allReduce, .broadcast])
    func namesTheRank(_ testCase: Case, _ kind: Kind) async throws {
        let group = try await RankGroup.connect(3, hostile: 1, change: testCase.change)
        let outcomes = await group.run { communicator in
            var elements = (0..<1_000).map { Float($0) }
            try elements.withUnsafeMutableBufferPointer {
                let operation: CollectiveOperation =
                    kind == .allReduce ? .allReduce($0, .sum) : .broadcast($0, root: 1)
                _ = try communicator.run(operation.compressed(testCase.compression))
            }
        }
        await group.close()
        for (rank, outcome) in outcomes.enumerated() {
            // A broadcast's root may have done all that it has to before anybody complains.
            if kind == .broadcast, rank == 1, outcome.collectiveError == nil { continue }
            let error = try #require(outcome.collectiveError, "rank \(rank)")
            #expect(error.code == .protocolViolation && error.peer == 1, "\(error)")
            #expect(error.message.contains("rank 1 sent"), "\(error)")
            #expect(error.message.contains(testCase.complaint), "\(error)")
        }
    }

    /// A partial sum is decoded and encoded again in one pass, a result is decoded to its place.
    enum Kind: Sendable {
        case allReduce
        case broadcast
    }
}
