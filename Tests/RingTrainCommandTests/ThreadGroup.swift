import Foundation
import RingCore

@testable import RingTrainCommand

/// Ranks that are threads of this process: the exchange that the trainer's tests run over.
///
/// A collective is carried out by the last rank to arrive, in the order of ranks, so sums are repeatable. Ranks
/// that call different collectives, and ranks that wait for one that failed, get an error.
final class ThreadGroup: @unchecked Sendable {
    let worldSize: Int
    /// Guards everything below.
    private let condition = NSCondition()
    private var meetings: [Int: Meeting] = [:]
    private var failure: String?

    init(worldSize: Int) {
        self.worldSize = worldSize
    }

    /// What a rank brings to a collective.
    enum Contribution {
        case sum(UnsafeMutableBufferPointer<Float>)
        case broadcast(UnsafeMutableBufferPointer<Float>)
        case metrics([Double])
        case bytes([UInt8])
    }

    private struct Meeting {
        var contributions: [Rank: Contribution] = [:]
        var isDone = false
        var metrics: [Double] = []
        var bytes: [UInt8] = []
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Brings a rank's contribution to its collective number `sequence`.
    func arrive(_ rank: Rank, at sequence: Int, with contribution: Contribution) throws {
        condition.lock()
        defer { condition.unlock() }
        if let failure { throw Failure(description: failure) }
        meetings[sequence, default: Meeting()].contributions[rank] = contribution
        if meetings[sequence]?.contributions.count == worldSize {
            carryOut(sequence)
            condition.broadcast()
        }
    }

    /// Waits until all ranks have come to a collective.
    func wait(for sequence: Int) throws -> (metrics: [Double], bytes: [UInt8]) {
        condition.lock()
        defer { condition.unlock() }
        let deadline = Date(timeIntervalSinceNow: 60)
        while true {
            if let meeting = meetings[sequence], meeting.isDone { return (meeting.metrics, meeting.bytes) }
            if let failure { throw Failure(description: failure) }
            if !condition.wait(until: deadline) { failure = "a rank did not come to collective \(sequence)" }
        }
    }

    /// Ends all waiting, as a rank that has failed would.
    func fail(_ message: String) {
        condition.lock()
        defer { condition.unlock() }
        failure = failure ?? message
        condition.broadcast()
    }

    private func carryOut(_ sequence: Int) {
        guard var meeting = meetings[sequence] else { return }
        let all = (0..<worldSize).compactMap { meeting.contributions[$0] }
        var floats: [UnsafeMutableBufferPointer<Float>] = []
        var isSum = false
        for contribution in all {
            switch contribution {
            case .sum(let elements):
                floats.append(elements)
                isSum = true
            case .broadcast(let elements): floats.append(elements)
            case .metrics(let values):
                meeting.metrics = meeting.metrics.isEmpty ? values : zip(meeting.metrics, values).map(+)
            case .bytes(let bytes): meeting.bytes += bytes
            }
        }
        guard floats.isEmpty || (floats.count == worldSize && Set(floats.map(\.count)).count == 1) else {
            failure = "ranks came to collective \(sequence) with different buffers"
            return
        }
        if let first = floats.first {
            for index in first.indices {
                let value = isSum ? floats.reduce(0) { $0 + $1[index] } : first[index]
                for elements in floats { elements[index] = value }
            }
        }
        meeting.isDone = true
        meetings[sequence] = meeting
    }
}

/// One thread's place in a ``ThreadGroup``.
final class ThreadRank: GradientExchange {
    let rank: Rank
    let group: ThreadGroup
    private var nextSequence = 0
    private(set) var traffic = Traffic()

    init(rank: Rank, group: ThreadGroup) {
        self.rank = rank
        self.group = group
    }

    var worldSize: Int { group.worldSize }

    func broadcast(_ elements: UnsafeMutableBufferPointer<Float>) throws {
        _ = try group.wait(for: arrive(with: .broadcast(elements)))
    }

    func startSum(_ elements: UnsafeMutableBufferPointer<Float>) throws -> any PendingSum {
        traffic.sentBytes += elements.count * MemoryLayout<Float>.stride
        traffic.algorithms.insert("threads")
        return Pending(group: group, sequence: try arrive(with: .sum(elements)))
    }

    func sum(_ values: inout [Double]) throws {
        values = try group.wait(for: arrive(with: .metrics(values))).metrics
    }

    func allGather(_ bytes: [UInt8]) throws -> [UInt8] {
        try group.wait(for: arrive(with: .bytes(bytes))).bytes
    }

    private func arrive(with contribution: ThreadGroup.Contribution) throws -> Int {
        let sequence = nextSequence
        nextSequence += 1
        try group.arrive(rank, at: sequence, with: contribution)
        return sequence
    }

    private struct Pending: PendingSum {
        let group: ThreadGroup
        let sequence: Int

        func wait() throws { _ = try group.wait(for: sequence) }
        func cancel() { group.fail("collective \(sequence) was cancelled") }
    }
}

extension ThreadGroup {
    /// Runs `body` as every rank of a new group, each on a thread; returns what came out of it by rank.
    static func run<Value: Sendable>(
        ranks: Int, _ body: @escaping @Sendable (ThreadRank) throws -> Value
    ) -> [Result<Value, any Error>] {
        let group = ThreadGroup(worldSize: ranks)
        let outcomes = Outcomes<Value>(count: ranks)
        for rank in 0..<ranks {
            Thread.detachNewThread {
                let outcome = Result { try body(ThreadRank(rank: rank, group: group)) }
                if case .failure(let error) = outcome { group.fail("rank \(rank) failed: \(error)") }
                outcomes.put(outcome, at: rank)
            }
        }
        return outcomes.all()
    }

    /// As ``run(ranks:_:)``, throwing if any rank did.
    static func values<Value: Sendable>(
        ranks: Int, _ body: @escaping @Sendable (ThreadRank) throws -> Value
    ) throws -> [Value] {
        try run(ranks: ranks, body).map { try $0.get() }
    }

    /// Results that threads hand in; the condition guards them.
    private final class Outcomes<Value: Sendable>: @unchecked Sendable {
        private let condition = NSCondition()
        private var outcomes: [Result<Value, any Error>?]

        init(count: Int) {
            outcomes = Array(repeating: nil, count: count)
        }

        func put(_ outcome: Result<Value, any Error>, at rank: Rank) {
            condition.lock()
            outcomes[rank] = outcome
            condition.broadcast()
            condition.unlock()
        }

        func all() -> [Result<Value, any Error>] {
            condition.lock()
            defer { condition.unlock() }
            while outcomes.contains(where: { $0 == nil }) { condition.wait() }
            return outcomes.compactMap { $0 }
        }
    }
}
