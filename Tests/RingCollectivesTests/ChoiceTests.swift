import Foundation
import RingCore
import RingPlan
import Testing

@testable import RingCollectives

/// Communicators choose algorithms by what rank 0 shares.
@Suite struct ChoiceTests {
    /// A document that makes an algorithm the fastest all-reduce of four ranks.
    static func document(_ algorithm: String, transport: String = "memory") -> TuningDocument {
        let others = Planners.names(for: .allReduce)
        return TuningDocument(
            machine: "a test", date: "2026-01-01T00:00:00Z", transport: transport, processors: 2,
            parameters: .standard,
            measurements: others.map { name in
                MeasuredTime(
                    .allReduce, name, ranks: 4, ranksPerHost: 4, elementSize: 4, bytes: 400,
                    seconds: name == algorithm ? 1e-6 : 1e-3)
            })
    }

    /// Writes a document to a file of its own.
    static func file(_ document: TuningDocument) throws -> String {
        let path = NSTemporaryDirectory() + "ring-tuning-\(UUID().uuidString).json"
        try document.json.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// The algorithms that an all-reduce of 100 float32 took, by rank.
    static func chosen(_ options: RankOptions, wanted: Algorithm = .automatic) async throws -> [String] {
        let group = try await RankGroup.connect(4, options)
        let outcomes = await group.run { communicator in
            let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: 100)
            memory.initialize(repeating: 1)
            defer { memory.deallocate() }
            let statistics = try communicator.run(.allReduce(memory, .sum).using(wanted))
            return memory.allSatisfy { $0 == 4 } ? statistics.algorithm : "wrong"
        }
        await group.close()
        return try outcomes.map { try $0.get() }
    }

    @Test func theDocumentOfRankZeroCounts() async throws {
        var options = RankOptions()
        options.algorithms = "auto"
        options.tuningFiles = [
            0: try Self.file(Self.document("direct")),
            1: try Self.file(Self.document("ring")), 2: "/nonexistent",
        ]
        #expect(try await Self.chosen(options) == Array(repeating: "direct", count: 4))
    }

    @Test func aDocumentAboutAnotherTransportSaysNothing() async throws {
        var options = RankOptions()
        options.algorithms = "auto"
        let without = try await Self.chosen(options)
        options.tuningFiles = [
            0: try Self.file(Self.document("bidirectional-ring", transport: "carrier pigeons"))
        ]
        #expect(try await Self.chosen(options) == without)
        #expect(Set(without).count == 1)
    }

    @Test func wishesComeFirst() async throws {
        var options = RankOptions()
        options.tuningFiles = [0: try Self.file(Self.document("direct"))]
        options.algorithms = "all-reduce=binomial-tree"
        #expect(try await Self.chosen(options) == Array(repeating: "binomial-tree", count: 4))
        let ring = try await Self.chosen(options, wanted: Algorithm(name: "ring"))
        #expect(ring == Array(repeating: "ring", count: 4))
    }

    @Test func anUnreadableDocumentOfRankZeroIsAnError() async throws {
        var options = RankOptions()
        options.tuningFiles = [0: "/nonexistent/tuning.json"]
        await #expect(throws: CollectiveError.self) { try await RankGroup.connect(2, options) }
    }

    @Test func basesTravelInCards() throws {
        for basis in [
            ChoiceBasis(processors: 7), ChoiceBasis(tuning: Self.document("ring"), processors: 1),
        ] {
            let card = RankCard(
                system: "here",
                offers: [
                    RankCard.Offer(transport: "rdma", card: []),
                    RankCard.Offer(transport: "tcp", card: [1, 2, 3]),
                ], lack: "what is missing", basis: basis)
            #expect(RankCard(card.bytes) == card)
        }
        #expect(ChoiceBasis([]) == nil)
        #expect(ChoiceBasis([0, 0, 0, 0]) == nil)
        #expect(ChoiceBasis([1, 0, 0, 0, 123]) == nil)
    }

    @Test func everyShapeHasAChoice() throws {
        for worldSize in 1...5 {
            let chooser = AlgorithmChooser(
                Selector(), topology: RankTopology(worldSize: worldSize, processors: 2), rank: 0)
            for collective in Collective.allCases {
                let counts: [Int]? =
                    switch collective {
                    case .reduceScatter, .allGather, .gather, .scatter: Array(repeating: 0, count: worldSize)
                    case .allToAll: Array(repeating: 0, count: worldSize * worldSize)
                    default: nil
                    }
                var shapes = [OperationShape(elementCount: 0)]
                if collective != .barrier {
                    shapes.append(OperationShape(elementCount: 100 * worldSize * worldSize))
                }
                if let counts { shapes.append(OperationShape(elementCount: 0, counts: counts)) }
                for shape in shapes {
                    for isInPlace in collective == .allToAll && shape.counts != nil ? [false] : [true, false]
                    {
                        let name = chooser.name(collective, shape, elementSize: 4, isInPlace: isInPlace)
                        #expect(!name.isEmpty)
                        #expect(chooser.name(collective, shape, elementSize: 4, isInPlace: isInPlace) == name)
                    }
                }
            }
        }
    }
}
