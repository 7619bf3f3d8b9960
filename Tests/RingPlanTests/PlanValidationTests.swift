import RingCore
import RingPlan
import RingTestSupport
import Testing

/// Plans that cannot be right by themselves.
@Suite struct PlanValidationTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var kind: PlanRefutation.Kind
        var change: @Sendable (inout Plan) -> Void

        init(_ name: String, _ kind: PlanRefutation.Kind, _ change: @escaping @Sendable (inout Plan) -> Void)
        {
            testDescription = name
            self.kind = kind
            self.change = change
        }
    }

    /// An out-of-place reduce-scatter of 9 elements over 4 ranks, rank 1: three steps, two slots of 3 in
    /// scratch.
    static let cases = [
        Case("no ranks", .header) { $0.worldSize = 0 },
        Case("too many ranks", .header) { $0.worldSize = Plan.largestWorldSize + 1 },
        Case("rank too large", .header) { $0.rank = 4 },
        Case("rank below zero", .header) { $0.rank = -1 },
        Case("count below zero", .header) { $0.elementCount = -1 },
        Case("count too large", .header) { $0.elementCount = .max },
        Case("scratch below zero", .header) { $0.scratchCount = -1 },
        Case("scratch too large", .header) { $0.scratchCount = .max },
        Case("a root where none belongs", .header) { $0.root = 0 },
        Case("no root", .header) { $0.collective = .broadcast },
        Case("root too large", .header) {
            $0.collective = .broadcast
            $0.root = 4
        },
        Case("a collective without plans", .header) { $0.collective = .sendReceive },
        Case("blocks that are not even", .header) { $0.collective = .allToAll },
        Case("counts where none belong", .header) {
            $0.collective = .allReduce
            $0.counts = [9]
        },
        Case("too few counts", .header) { $0.counts = [3, 6] },
        Case("a count below zero", .header) { $0.counts = [3, 3, 4, -1] },
        Case("counts that are too large together", .header) { $0.counts = [.max, .max, 2, 9] },
        Case("counts that are too few together", .header) { $0.counts = [2, 2, 2, 2] },
        Case("blocks of different sizes in place", .header) {
            $0.collective = .allToAll
            $0.isInPlace = true
            $0.counts = Array(repeating: 0, count: 15) + [9]
        },
        Case("a barrier of elements", .header) { $0.collective = .barrier },
        Case("no chunks", .header) { $0.chunks = [] },
        Case("chunks that start late", .header) { $0.chunks = [1..<9] },
        Case("a gap between chunks", .header) { $0.chunks = [0..<3, 4..<5, 5..<7, 7..<9] },
        Case("chunks that end early", .header) { $0.chunks = [0..<3, 3..<5, 5..<7] },
        Case("peer too large", .geometry) { $0.steps[0].send?.peer = 4 },
        Case("peer below zero", .geometry) { $0.steps[0].receive?.peer = -1 },
        Case("own peer", .geometry) { $0.steps[0].send?.peer = 1 },
        Case("chunk too large", .geometry) { $0.steps[0].send?.source.chunks = 4..<5 },
        Case("chunk below zero", .geometry) { $0.steps[0].send?.source.chunks = -1..<0 },
        Case("no chunk", .geometry) { $0.steps[0].send?.source.chunks = 1..<1 },
        Case("more chunks than there are", .geometry) { $0.steps[0].send?.source.chunks = 0..<5 },
        Case("not the chunks' size", .geometry) { $0.steps[0].send?.source.chunks = 0..<2 },
        Case("not the chunk's size", .geometry) { $0.steps[0].send?.source.range = 0..<2 },
        Case("before the buffer", .geometry) { $0.steps[0].send?.source.range = -1..<2 },
        Case("behind the buffer", .geometry) { $0.steps[0].send?.source.range = 7..<10 },
        Case("behind scratch", .geometry) { $0.scratchCount = 3 },
        Case("behind a share", .geometry) { $0.steps[2].receive?.destination.range = 1..<3 },
        Case("writing the input", .geometry) { $0.steps[0].receive?.destination.buffer = .input },
        Case("input in place", .geometry) { $0.isInPlace = true },
        Case("operand of another chunk", .geometry) { plan in
            plan.steps[1].receive?.action = .reduce(own: Slice(.input, chunk: 3, 5..<7), isFinal: false)
        },
        Case("operand that half overlaps", .geometry) { plan in
            plan.scratchCount = 7
            plan.steps[1].receive?.action = .reduce(own: Slice(.scratch, chunk: 2, 4..<6), isFinal: false)
        },
        Case("copy beside a transfer", .geometry) { plan in
            plan.steps[1].copy = LocalCopy(
                source: Slice(.input, chunk: 1, 3..<5), destination: Slice(.output, chunk: 1, 0..<2))
        },
        Case("copy onto itself", .geometry) { plan in
            let slice = Slice(.output, chunk: 1, 0..<2)
            plan.steps = [Step(copy: LocalCopy(source: slice, destination: slice))]
        },
        Case("copy to another chunk", .geometry) { plan in
            plan.steps = [
                Step(
                    copy: LocalCopy(
                        source: Slice(.input, chunk: 2, 5..<7), destination: Slice(.output, chunk: 1, 0..<2)))
            ]
        },
        Case("copy to the input", .geometry) { plan in
            plan.steps = [
                Step(
                    copy: LocalCopy(
                        source: Slice(.output, chunk: 1, 0..<2), destination: Slice(.input, chunk: 1, 3..<5)))
            ]
        },
        Case("after the same step", .dependency) { $0.steps[1].send?.after = [.received(1)] },
        Case("after a later step", .dependency) { $0.steps[1].send?.after = [.received(2)] },
        Case("after a step below zero", .dependency) { $0.steps[1].send?.after = [.sent(-1)] },
        Case("after a send that is not", .dependency) { plan in
            plan.steps[0].send = nil
            plan.steps[2].receive?.after = [.sent(0)]
        },
        Case("after a receive that is not", .dependency) { $0.steps[0].receive = nil },
        Case("a step that overwrites what it sends", .race) { plan in
            plan.scratchCount = 6
            plan.steps[1].send?.source = Slice(.scratch, chunk: 0, 3..<6)
            plan.steps[1].receive?.destination.range = 3..<5
            plan.steps[2].send?.source.range = 3..<5
        },
    ]

    @Test(arguments: cases) func refuted(test: Case) throws {
        let request = PlanRequest(.reduceScatter, worldSize: 4, rank: 1, elementCount: 9, isInPlace: false)
        var plan = try RingReduceScatter.plan(request)
        try plan.validate()
        test.change(&plan)
        let found = try #require(throws: PlanRefutation.self) { try plan.validate() }
        #expect(found.kind == test.kind, "\(found)")
    }

    @Test func headersThatDiffer() throws {
        let plans = try PlanRefutationTests.ring()
        let changes: [@Sendable (inout Plan) -> Void] = [
            { $0.rank = 2 }, { $0.algorithm = "another" }, { $0.collective = .reduceScatter },
            { $0.worldSize = 5 },
            { $0.elementCount = 8 }, { $0.chunks = [0..<9] }, { $0.root = 1 },
        ]
        for change in changes {
            let found = try PlanRefutationTests.refutation(plans.changing(3, change))
            #expect(found.kind == .header)
            #expect(found.rank == 3)
        }
        #expect(try PlanRefutationTests.refutation(plans.dropLast()).kind == .header)
        #expect(try PlanRefutationTests.refutation([]).kind == .header)
    }

    /// The search for races against a plain comparison of all pairs of accesses, over random plans.
    @Test func racesAsByAllPairs() {
        var generator = SplitMix64(state: 5)
        var counts = [0, 0]
        for _ in 0..<3_000 {
            let plan = randomPlan(&generator)
            var found: PlanRefutation.Kind?
            do { try plan.validate() } catch { found = error.kind }
            let expected: PlanRefutation.Kind? = hasRace(plan) ? .race : nil
            #expect(found == expected, "\(plan)")
            counts[expected == nil ? 0 : 1] += 1
        }
        // Both outcomes must have been met with often for this to mean something.
        #expect(counts.allSatisfy { $0 > 300 }, "\(counts)")
    }

    private func randomPlan(_ generator: inout SplitMix64) -> Plan {
        let chunks: Chunks = [0..<1, 1..<3, 3..<6]
        var plan = Plan(
            collective: .allReduce, algorithm: "random", worldSize: 2, rank: 0, isInPlace: true,
            elementCount: 6,
            chunks: chunks, scratchCount: 6)
        func slice(_ chunk: Int, _ generator: inout SplitMix64) -> Slice {
            let count = chunks[chunk].count
            let start = Int.random(in: 0...(6 - count), using: &generator)
            return Slice(
                Bool.random(using: &generator) ? .output : .scratch, chunk: chunk, start..<(start + count))
        }
        for _ in 0..<Int.random(in: 2...4, using: &generator) {
            let after = { (generator: inout SplitMix64) -> [Dependency] in
                let events = plan.steps.enumerated().flatMap { index, step in
                    (step.receive == nil && step.copy == nil ? [] : [Dependency.received(index)])
                        + (step.send == nil ? [] : [.sent(index)])
                }
                return events.filter { _ in Int.random(in: 0..<10, using: &generator) < 7 }
            }
            let chunk = Int.random(in: 0..<3, using: &generator)
            let source = slice(chunk, &generator)
            let destination = slice(chunk, &generator)
            if Int.random(in: 0..<4, using: &generator) == 0, !source.overlaps(destination) {
                plan.steps.append(
                    Step(copy: LocalCopy(source: source, destination: destination, after: after(&generator))))
                continue
            }
            var step = Step()
            if Bool.random(using: &generator) {
                let chunk = Int.random(in: 0..<3, using: &generator)
                step.send = Send(peer: 1, source: slice(chunk, &generator), after: after(&generator))
            } else {
                let isReducing = source == destination || !source.overlaps(destination)
                step.receive = Receive(
                    peer: 1, destination: destination,
                    action: isReducing ? .reduce(own: source, isFinal: false) : .copy,
                    after: after(&generator))
            }
            plan.steps.append(step)
        }
        return plan
    }

    private struct Access {
        var event: Dependency
        var slice: Slice
        var isWrite: Bool
    }

    private func hasRace(_ plan: Plan) -> Bool {
        var accesses: [Access] = []
        var before: [Dependency: Set<Dependency>] = [:]
        func close(_ event: Dependency, _ after: [Dependency]) {
            before[event] = after.reduce(into: Set(after)) { $0.formUnion(before[$1] ?? []) }
        }
        for (index, step) in plan.steps.enumerated() {
            if let send = step.send {
                close(.sent(index), send.after)
                accesses.append(Access(event: .sent(index), slice: send.source, isWrite: false))
            }
            if let receive = step.receive {
                close(.received(index), receive.after)
                accesses.append(Access(event: .received(index), slice: receive.destination, isWrite: true))
                if case .reduce(let own, _) = receive.action {
                    accesses.append(Access(event: .received(index), slice: own, isWrite: false))
                }
            }
            if let copy = step.copy {
                close(.received(index), copy.after)
                accesses.append(Access(event: .received(index), slice: copy.source, isWrite: false))
                accesses.append(Access(event: .received(index), slice: copy.destination, isWrite: true))
            }
        }
        for first in accesses {
            for second in accesses where first.event != second.event {
                guard first.isWrite || second.isWrite, first.slice.overlaps(second.slice) else { continue }
                let isOrdered =
                    before[second.event]?.contains(first.event) == true
                    || before[first.event]?.contains(second.event) == true
                if !isOrdered { return true }
            }
        }
        return false
    }
}
