import RingCore
import RingPlan
import Testing

@testable import RingCollectives

/// Programs against the plans that they come from: nothing is lost, doubled or reordered.
@Suite struct PlanProgramTests {
    private static let elementSize = 4

    @Test(arguments: Planners.all.map { PlannerName(collective: $0.collective, name: $0.name) }, 1...6)
    func everyProgramCarriesItsPlan(planner: PlannerName, worldSize: Int) throws {
        for request in Self.requests(planner.collective, worldSize: worldSize) {
            let plans = try (0..<worldSize).map {
                var own = request
                own.rank = $0
                return try Planners.plan(own, algorithm: planner.name)
            }
            let programs = plans.map { PlanProgram($0, elementSize: Self.elementSize) }
            for (plan, program) in zip(plans, programs) {
                Self.checkLanes(program, of: plan)
                Self.checkGates(program, of: plan)
                Self.checkPlaces(program, of: plan)
            }
            Self.checkEnds(programs)
        }
    }

    private static func requests(_ collective: Collective, worldSize: Int) -> [PlanRequest] {
        let counts =
            switch collective {
            case .barrier: [0]
            case .allToAll: [0, 1, 5].map { $0 * worldSize * worldSize }
            default: Set([0, 1, worldSize, 2 * worldSize + 3]).sorted()
            }
        let hasRoot = [Collective.broadcast, .reduce, .gather, .scatter].contains(collective)
        let roots: [Rank?] = hasRoot ? (0..<worldSize).map { $0 } : [nil]
        return counts.flatMap { count in
            roots.flatMap { root in
                [true, false].map {
                    PlanRequest(
                        collective, worldSize: worldSize, rank: 0, elementCount: count, root: root,
                        isInPlace: $0)
                }
            }
        }
    }

    // MARK: What is checked

    /// Each lane lists the plan's transfers with that peer once and in order, with their slices.
    private static func checkLanes(_ program: PlanProgram, of plan: Plan) {
        let peers = plan.peers.all
        #expect(program.lanes.map(\.peer).sorted() == peers.sorted())
        let listed = program.lanes.flatMap { $0.sends + $0.receives } + program.copies
        #expect(listed.sorted() == Array(program.transfers.indices))
        for lane in program.lanes {
            let sends = plan.steps.compactMap { $0.send }.filter { $0.peer == lane.peer }.map(\.source)
            checkSlices(sends, lane.sends, program)
            let receives = plan.steps.compactMap { $0.receive }.filter { $0.peer == lane.peer }
            checkSlices(receives.map(\.destination), lane.receives, program)
        }
        #expect(program.scratchByteCount == plan.scratchCount * elementSize)
    }

    private static func checkSlices(_ slices: [Slice], _ transfers: [Int], _ program: PlanProgram) {
        #expect(slices.count == transfers.count)
        for (ordinal, (slice, index)) in zip(slices, transfers).enumerated() {
            let transfer = program.transfers[index]
            #expect(transfer.ordinal == UInt32(ordinal))
            #expect(transfer.chunk == UInt32(slice.chunks.lowerBound))
            #expect(transfer.place.buffer == slice.buffer)
            #expect(transfer.place.offset == slice.range.lowerBound * elementSize)
            #expect(transfer.byteCount == slice.range.count * elementSize)
        }
    }

    /// Every gate names an earlier transfer, every dependency has its gate, and whoever follows byte by byte touches
    /// nothing that the other has not done with.
    private static func checkGates(_ program: PlanProgram, of plan: Plan) {
        var end = 0
        for (index, transfer) in program.transfers.enumerated() {
            #expect(transfer.gates.lowerBound == end)
            end = transfer.gates.upperBound
            for gate in program.gates[transfer.gates] {
                #expect(gate.transfer >= 0 && gate.transfer < index)
                guard let lead = gate.lead else { continue }
                let other = program.transfers[gate.transfer]
                for (buffer, bytes) in touched(transfer) {
                    for (otherBuffer, otherBytes) in touched(other)
                    where buffer == otherBuffer && bytes.overlaps(otherBytes) {
                        // After k bytes of the other, the last byte let through is k + lead - 1.
                        #expect(bytes.lowerBound + lead <= otherBytes.lowerBound)
                    }
                }
            }
        }
        #expect(end == program.gates.count)
        let dependencies = plan.steps.flatMap {
            ($0.send?.after ?? []) + ($0.receive?.after ?? []) + ($0.copy?.after ?? [])
        }
        #expect(program.gates.count == dependencies.count)
    }

    /// All that is touched lies within its buffer.
    private static func checkPlaces(_ program: PlanProgram, of plan: Plan) {
        for (buffer, bytes) in program.transfers.flatMap(touched) {
            #expect(bytes.lowerBound >= 0 && bytes.upperBound <= plan.count(of: buffer) * elementSize)
        }
    }

    private static func touched(_ transfer: PlanProgram.Transfer) -> [(Buffer, Range<Int>)] {
        var places = [transfer.place]
        switch transfer.work {
        case .send, .receive: break
        case .reduce(let own, _): places.append(own)
        case .copy(let source): places.append(source)
        }
        return places.map { ($0.buffer, $0.offset..<$0.offset + transfer.byteCount) }
    }

    /// What one end of a link sends is what the other one receives.
    private static func checkEnds(_ programs: [PlanProgram]) {
        for (rank, program) in programs.enumerated() {
            for lane in program.lanes {
                let peer = programs[lane.peer]
                let sent = lane.sends.map { Message(program.transfers[$0]) }
                let received = peer.lanes.first { $0.peer == rank }?.receives ?? []
                #expect(sent == received.map { Message(peer.transfers[$0]) })
                // What it receives must be sent by a peer that has a lane for it.
                #expect(lane.receives.isEmpty || peer.lanes.contains { $0.peer == rank })
            }
        }
    }

    /// Half of a slice follows the whole from where the two begin to overlap, not from the whole's end.
    @Test func partsFollowTheWholeByteByByte() {
        var plan = Plan(
            collective: .allReduce, algorithm: "ring", worldSize: 2, rank: 0, isInPlace: true,
            elementCount: 8,
            chunks: [0..<4, 4..<8])
        plan.steps = [
            Step(receive: Receive(peer: 1, destination: Slice(.output, chunks: 0..<2, 0..<8))),
            Step(send: Send(peer: 1, source: Slice(.output, chunk: 1, 4..<8), after: [.received(0)])),
            Step(
                receive: Receive(
                    peer: 1, destination: Slice(.output, chunks: 0..<2, 0..<8), after: [.sent(1)])),
        ]
        let program = PlanProgram(plan, elementSize: 4)
        #expect(program.gates.map(\.lead) == [-16, 16])
    }

    private struct Message: Hashable {
        var chunk: UInt32
        var byteCount: Int

        init(_ transfer: PlanProgram.Transfer) {
            chunk = transfer.chunk
            byteCount = transfer.byteCount
        }
    }
}

/// An algorithm by its name, as test cases are called.
struct PlannerName: Sendable, CustomTestStringConvertible {
    var collective: Collective
    var name: String

    var testDescription: String { "\(collective.name) \(name)" }
}
