import Foundation
import RingCore
import RingPlan
import RingSystem
import RingTestSupport
import Testing

@testable import RingCollectives

/// Collectives over the RDMA device that this machine has. They run where `RING_TEST_RDMA` says that it has one.
@Suite(.serialized, .enabled(if: ProcessEnvironment.variables["RING_TEST_RDMA"] != nil))
struct RDMARealDeviceTests {
    private static func options() -> RankOptions {
        var options = RankOptions()
        options.wire = .rdmaDevice
        return options
    }

    @Test(arguments: Collective.allCases.filter { $0 != .sendReceive }, [2, 3])
    func everyCollective(collective: Collective, worldSize: Int) async throws {
        try await withRanks(worldSize, Self.options()) { communicator in
            for count in [0, 1, 1000, 100_003] {
                try Exercise(
                    collective: collective, count: collective == .allToAll ? count * worldSize : count,
                    root: worldSize - 1
                ).run(on: communicator)
            }
        }
    }

    @Test(arguments: DataType.allCases) func everyType(dataType: DataType) async throws {
        try await withRanks(2, Self.options()) { communicator in
            for op in ReductionOperator.allCases {
                try Exercise(collective: .allReduce, count: 5003, dataType: dataType, op: op)
                    .run(on: communicator)
            }
        }
    }

    /// Small messages that are sent again and again, at once and in turns, and one that is late.
    @Test(arguments: [0, 1, 12, 120, 500]) func repeatedMessages(count: Int) async throws {
        try await withRanks(2, Self.options()) { communicator in
            let peer = 1 - communicator.rank
            let send = (isSend: true, peer: peer, tag: UInt32(1), count: count)
            let receive = (isSend: false, peer: peer, tag: UInt32(1), count: count)
            for round in 0..<300 {
                try RepeatedMessageTests.exchange(communicator, round: round, [send, receive])
                let turns = communicator.rank == 0 ? [send, receive] : [receive, send]
                for turn in turns { try RepeatedMessageTests.exchange(communicator, round: round, [turn]) }
                if round % 50 == 0, communicator.rank == 0 { usleep(20_000) }
            }
        }
    }

    /// Without copies, by algorithms that reduce and store in different orders; and with plain memory on one rank.
    @Test(arguments: ["ring", "recursive-doubling", "direct", "double-binary-tree"], [2, 3])
    func registeredBuffers(algorithm: String, worldSize: Int) async throws {
        try await withRanks(worldSize, Self.options()) { communicator in
            for count in [1, 5000, 60_007] {
                let buffer = try communicator.makeBuffer(of: Int32.self, count: count)
                let plain = UnsafeMutableBufferPointer<Int32>.allocate(capacity: count)
                defer { plain.deallocate() }
                for round in 0..<3 {
                    let isPlain = round == 2 && communicator.rank == 0
                    let elements = isPlain ? plain : buffer.elements
                    for index in 0..<count {
                        elements[index] = Int32((index % 1009 + round) * (communicator.rank + 1))
                    }
                    // By the buffer or by its address.
                    let operation: CollectiveOperation =
                        round == 0 ? .allReduce(buffer, .sum) : .allReduce(elements, .sum)
                    let copied = communicator.copiedBytes
                    try communicator.run(operation.using(Algorithm(name: algorithm)))
                    if algorithm == "ring", count == 60_007, round < 2 {
                        #expect(communicator.copiedBytes == copied)
                    }
                    let factor = worldSize * (worldSize + 1) / 2
                    for index in 0..<count where elements[index] != Int32((index % 1009 + round) * factor) {
                        throw Wrong(description: "element \(index) of \(count) is wrong in round \(round)")
                    }
                }
            }
        }
    }

    /// Ordinary memory: registered by the first call, not again by the others, and anew when other memory has come in its
    /// place, which a device that went by the old registration would not see.
    @Test func ordinaryMemory() async throws {
        let count = 300_007
        let group = try await RankGroup.connect(2, Self.options())
        let areas = Monitor([Rank: MappedMemory]())
        func sum(round: Int) async throws {
            let outcomes = await group.run { communicator in
                let rank = communicator.rank
                let area = areas.withLock { areas in
                    areas[rank] = areas[rank] ?? MappedMemory(byteCount: count * 4)
                    return areas[rank]!
                }
                let elements = area.elements(count, of: Int32.self)
                for index in elements.indices { elements[index] = Int32((index % 1009 + round) * (rank + 1)) }
                let copied = communicator.copiedBytes
                try communicator.run(.allReduce(elements, .sum).using(Algorithm(name: "ring")))
                #expect(communicator.copiedBytes == copied)
                for index in elements.indices where elements[index] != Int32((index % 1009 + round) * 3) {
                    throw Wrong(description: "element \(index) is wrong in round \(round)")
                }
            }
            for outcome in outcomes { try outcome.get() }
        }
        try await sum(round: 0)
        let registrations = try Self.registrations()
        try #require(registrations.contains("mrn"))
        for round in 1...3 { try await sum(round: round) }
        #expect(try Self.registrations() == registrations)
        for area in areas.withLock({ $0.values }) { area.replace() }
        for round in 4...5 { try await sum(round: round) }
        #expect(try Self.registrations() != registrations)
        await group.close()
    }

    /// The memory that devices know, by the kernel: each registration has a number of its own.
    private static func registrations() throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["rdma", "resource", "show", "mr"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text
    }

    @Test func severalChannels() async throws {
        var options = Self.options()
        options.transport.channels = 2
        try await withRanks(2, options) { communicator in
            #expect(communicator.transportName == "rdma")
            try Exercise(collective: .allReduce, count: 1 << 20).run(on: communicator)
        }
    }
}
