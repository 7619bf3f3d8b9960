import RingCore
import RingPlan
import RingTestSupport

/// Runs plans on real numbers, in a random order among all that dependencies and links allow.
///
/// Nothing of the simulator is used, so that one can be held against the other. Reductions add; a final one
/// then negates, so that its happening once shows in the result. Memory that should not be read holds
/// garbage.
struct PlanInterpreter {
    private let plans: [Plan]
    private var buffers: [[Buffer: [Int]]]
    private var sent: [[Bool]]
    private var received: [[Bool]]
    private var messages: [Link: [[Int]]] = [:]
    private var generator: SplitMix64

    private struct Link: Hashable {
        var source: Rank
        var destination: Rank
    }

    private enum Event {
        case send(Rank, Int)
        case receive(Rank, Int)
    }

    static let garbage = -1_000_000_007

    /// Prepares the plans of all ranks; `contributions` are their inputs, as long as the plan says.
    init(_ plans: [Plan], contributions: [[Int]], seed: UInt64) {
        self.plans = plans
        generator = SplitMix64(state: seed)
        sent = plans.map { Array(repeating: false, count: $0.steps.count) }
        received = sent
        buffers = plans.map { plan in
            Dictionary(
                uniqueKeysWithValues: Buffer.allCases.map {
                    ($0, Array(repeating: Self.garbage, count: plan.count(of: $0)))
                })
        }
        for (rank, plan) in plans.enumerated() {
            let contribution = contributions[rank]
            if !plan.isInPlace {
                buffers[rank][.input]?.replaceSubrange(0..<contribution.count, with: contribution)
            } else {
                let isShare = plan.collective == .allGather || plan.collective == .gather
                let start = isShare ? plan.share(of: rank).lowerBound : 0
                buffers[rank][.output]?.replaceSubrange(
                    start..<(start + contribution.count), with: contribution)
            }
        }
    }

    /// Runs until nothing more can happen. Returns the outputs, or nil if something is left undone.
    mutating func run() -> [[Int]]? {
        while true {
            var ready: [Event] = []
            for (rank, plan) in plans.enumerated() {
                for (index, step) in plan.steps.enumerated() {
                    if canSend(step, index, rank) { ready.append(.send(rank, index)) }
                    if canReceive(step, index, rank) { ready.append(.receive(rank, index)) }
                }
            }
            guard let event = ready.randomElement(using: &generator) else { break }
            perform(event)
        }
        for (rank, plan) in plans.enumerated() {
            for (index, step) in plan.steps.enumerated() {
                if step.send != nil, !sent[rank][index] { return nil }
                if step.receive != nil || step.copy != nil, !received[rank][index] { return nil }
            }
        }
        return buffers.map { $0[.output] ?? [] }
    }

    private func isDone(_ dependencies: [Dependency], _ rank: Rank) -> Bool {
        dependencies.allSatisfy {
            switch $0 {
            case .received(let step): received[rank][step]
            case .sent(let step): sent[rank][step]
            }
        }
    }

    private func canSend(_ step: Step, _ index: Int, _ rank: Rank) -> Bool {
        guard let send = step.send, !sent[rank][index], isDone(send.after, rank) else { return false }
        return !(0..<index).contains { plans[rank].steps[$0].send?.peer == send.peer && !sent[rank][$0] }
    }

    private func canReceive(_ step: Step, _ index: Int, _ rank: Rank) -> Bool {
        guard !received[rank][index] else { return false }
        if let copy = step.copy { return isDone(copy.after, rank) }
        guard let receive = step.receive, isDone(receive.after, rank) else { return false }
        let isNext = !(0..<index).contains {
            plans[rank].steps[$0].receive?.peer == receive.peer && !received[rank][$0]
        }
        return isNext && messages[Link(source: receive.peer, destination: rank)]?.isEmpty == false
    }

    private mutating func perform(_ event: Event) {
        switch event {
        case .send(let rank, let index):
            guard let send = plans[rank].steps[index].send else { return }
            messages[Link(source: rank, destination: send.peer), default: []].append(read(send.source, rank))
            sent[rank][index] = true
        case .receive(let rank, let index):
            received[rank][index] = true
            let step = plans[rank].steps[index]
            if let copy = step.copy { write(read(copy.source, rank), copy.destination, rank) }
            guard let receive = step.receive else { return }
            var values = messages[Link(source: receive.peer, destination: rank)]?.removeFirst() ?? []
            if case .reduce(let own, let isFinal) = receive.action {
                values = zip(read(own, rank), values).map { isFinal ? -($0 + $1) : $0 + $1 }
            }
            write(values, receive.destination, rank)
        }
    }

    private func read(_ slice: Slice, _ rank: Rank) -> [Int] {
        Array((buffers[rank][slice.buffer] ?? [])[slice.range])
    }

    private mutating func write(_ values: [Int], _ slice: Slice, _ rank: Rank) {
        buffers[rank][slice.buffer]?.replaceSubrange(slice.range, with: values)
    }
}
