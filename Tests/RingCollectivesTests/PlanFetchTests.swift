import RingCore
import RingPlan
import RingTransport
import Testing

@testable import RingCollectives

/// Which transfers from registered memory a peer may fetch.
@Suite struct PlanFetchTests {
    private static func programs(_ planner: PlannerName, worldSize: Int, isInPlace: Bool) throws
        -> [PlanProgram]
    {
        let collective = planner.collective
        let reduces = [Collective.allReduce, .reduce, .reduceScatter].contains(collective)
        let hasRoot = [Collective.broadcast, .reduce, .gather, .scatter].contains(collective)
        let count = collective == .barrier ? 0 : worldSize * worldSize * 4
        return try (0..<worldSize).map { rank in
            var request = OperationRequest(
                signature: OperationSignature(
                    collective: collective, dataType: .float32, op: reduces ? .sum : nil, elementCount: count,
                    root: hasRoot ? worldSize - 1 : nil, algorithm: AlgorithmCode(name: planner.name)),
                algorithm: planner.name, isInPlace: isInPlace, timeout: .seconds(1))
            request.registered = .output
            return try PlanCache(rank: rank, worldSize: worldSize).program(for: request)
        }
    }

    /// What is fetched the peer stores, and nothing here waits for it; and of what the peer stores all is fetched that
    /// nothing waits for.
    @Test(arguments: Planners.all.map { PlannerName(collective: $0.collective, name: $0.name) }, 2...6)
    func whatIsStoredIsFetched(planner: PlannerName, worldSize: Int) throws {
        for isInPlace in [true, false] {
            let programs = try Self.programs(planner, worldSize: worldSize, isInPlace: isInPlace)
            for (rank, program) in programs.enumerated() {
                let awaited = Set(program.gates.map(\.transfer))
                for lane in program.lanes {
                    let peer = try #require(programs[lane.peer].lanes.first { $0.peer == rank })
                    for (send, receive) in zip(lane.sends, peer.receives) {
                        let isStored =
                            if case .receive = programs[lane.peer].transfers[receive].work { true } else {
                                false
                            }
                        #expect(program.transfers[send].isFetched == (isStored && !awaited.contains(send)))
                    }
                }
            }
        }
    }

    /// The first half of a ring's all-reduce is reduced by the peers, the second is stored.
    @Test func ringFetchesItsSecondHalf() throws {
        let planner = PlannerName(collective: .allReduce, name: "ring")
        for program in try Self.programs(planner, worldSize: 4, isInPlace: true) {
            let lane = try #require(program.lanes.first { !$0.sends.isEmpty })
            #expect(
                lane.sends.map { program.transfers[$0].isFetched } == [false, false, false, true, true, true])
        }
    }
}
