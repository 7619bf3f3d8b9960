import RingCore
import RingPlan
import Testing

@testable import RingCollectives

/// Programs against the plans that they come from: nothing is lost, doubled or reordered by the split into channels.
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
            for channels in 1...3 {
                let programs = plans.map { plan in
                    (0..<channels).map {
                        PlanProgram(plan, elementSize: Self.elementSize, channel: $0, channels: channels)
                    }
                }
                for (plan, programs) in zip(plans, programs) {
                    try Self.checkLanes(programs, of: plan)
                    Self.checkGates(programs, of: plan)
                    Self.checkPlaces(programs, of: plan)
                }
                Self.checkEnds(programs)
            }
        }
    }

    private static func requests(_ collective: Collective, worldSize: Int) -> [PlanRequest] {
        let counts = collective == .barrier ? [0] : Set([0, 1, worldSize, 2 * worldSize + 3]).sorted()
        let roots: [Rank?] = collective == .broadcast ? (0..<worldSize).map { $0 } : [nil]
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

    /// Each lane lists the plan's transfers with that peer once and in order, and each slice's parts on the channels
    /// tile it.
    private static func checkLanes(_ programs: [PlanProgram], of plan: Plan) throws {
        for program in programs {
            #expect(Set(program.lanes.map(\.peer)).count == program.lanes.count)
            let listed = program.lanes.flatMap { $0.sends + $0.receives } + program.copies
            #expect(listed.sorted() == Array(program.transfers.indices))
        }
        for peer in plan.peers.all.sorted() {
            let sends = plan.steps.compactMap { $0.send }.filter { $0.peer == peer }.map(\.source)
            try checkTiling(of: sends, by: programs) { $0.lanes.first { $0.peer == peer }?.sends ?? [] }
            let receives = plan.steps.compactMap { $0.receive }.filter { $0.peer == peer }.map(\.destination)
            try checkTiling(of: receives, by: programs) { $0.lanes.first { $0.peer == peer }?.receives ?? [] }
        }
        let copies = plan.steps.compactMap { $0.copy?.destination }
        try checkTiling(of: copies, by: programs, areSent: false) { $0.copies }
        #expect(programs.allSatisfy { Set($0.lanes.map(\.peer)).isSubset(of: plan.peers.all) })
        #expect(programs.allSatisfy { $0.scratchByteCount == plan.scratchCount * elementSize })
    }

    private static func checkTiling(
        of slices: [Slice], by programs: [PlanProgram], areSent: Bool = true, _ list: (PlanProgram) -> [Int]
    ) throws {
        var parts = slices.map { _ in [Range<Int>]() }
        for program in programs {
            var next = 0
            for index in list(program) {
                let transfer = program.transfers[index]
                let bytes = transfer.place.offset..<transfer.place.offset + transfer.byteCount
                let match = slices[next...].firstIndex {
                    $0.buffer == transfer.place.buffer && $0.chunks.lowerBound == Int(transfer.chunk)
                        && $0.range.lowerBound * elementSize <= bytes.lowerBound
                        && bytes.upperBound <= $0.range.upperBound * elementSize
                }
                let slice = try #require(match, "a transfer that is not the plan's, or out of order")
                parts[slice].append(bytes)
                next = slice + 1
            }
        }
        for (slice, parts) in zip(slices, parts) {
            let bytes = slice.range.lowerBound * elementSize..<slice.range.upperBound * elementSize
            var end = bytes.lowerBound
            for part in parts.sorted(by: { $0.lowerBound < $1.lowerBound }) {
                #expect(part.lowerBound == end)
                #expect(part.lowerBound % elementSize == 0)
                end = part.upperBound
            }
            #expect(end == bytes.upperBound)
            // A bare signal is given once, and no link carries another empty message. Copying nothing costs nothing.
            if bytes.isEmpty {
                #expect(parts.count == 1)
            } else if areSent {
                #expect(!parts.contains { $0.isEmpty })
            }
        }
    }

    /// Every gate names an earlier transfer; with all transfers there, every dependency has its gate.
    private static func checkGates(_ programs: [PlanProgram], of plan: Plan) {
        for program in programs {
            var end = 0
            for (index, transfer) in program.transfers.enumerated() {
                #expect(transfer.gates.lowerBound == end)
                end = transfer.gates.upperBound
                guard end <= program.gates.count else { break }
                for gate in program.gates[transfer.gates] {
                    #expect(gate.transfer >= 0 && gate.transfer < index)
                }
            }
            #expect(end == program.gates.count)
        }
        if programs.count == 1 {
            let dependencies = plan.steps.flatMap {
                ($0.send?.after ?? []) + ($0.receive?.after ?? []) + ($0.copy?.after ?? [])
            }
            #expect(programs[0].gates.count == dependencies.count)
        }
    }

    /// All that is touched lies within its buffer, and no two channels touch the same byte.
    private static func checkPlaces(_ programs: [PlanProgram], of plan: Plan) {
        let touched = programs.map { program in program.transfers.flatMap(Self.touched) }
        for (buffer, bytes) in touched.joined() {
            #expect(bytes.lowerBound >= 0 && bytes.upperBound <= plan.count(of: buffer) * elementSize)
        }
        for channel in touched.indices {
            for other in touched[(channel + 1)...].joined() {
                #expect(!touched[channel].contains { $0.0 == other.0 && $0.1.overlaps(other.1) })
            }
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

    /// On every channel, what one end of a link sends is what the other one receives.
    private static func checkEnds(_ programs: [[PlanProgram]]) {
        for rank in programs.indices {
            for (channel, program) in programs[rank].enumerated() {
                for lane in program.lanes {
                    let peer = programs[lane.peer][channel]
                    let sent = lane.sends.map { Message(program.transfers[$0]) }
                    let received = peer.lanes.first { $0.peer == rank }?.receives ?? []
                    #expect(sent == received.map { Message(peer.transfers[$0]) })
                    // What it receives must be sent by a peer that has a lane for it.
                    #expect(lane.receives.isEmpty || peer.lanes.contains { $0.peer == rank })
                }
            }
        }
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
