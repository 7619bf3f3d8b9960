import RingCore
import RingSystem

@testable import RingBenchCommand

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A fake job: threads as ranks, which meet in shared memory and compute each collective the plain way.
final class FakeWorld: Sendable {
    /// Something that a broken library might do to a rank's result.
    enum Fault: Sendable {
        case none
        case flipsBit(rank: Rank)
        case shiftsByOne(rank: Rank)
        case writesBeyondEnd(rank: Rank)
        case writesBeforeStart(rank: Rank)
        case changesInput(rank: Rank)
        case leavesOut(rank: Rank)
        case doesNothing
        case barrierDoesNotWait
        case countsWrongly(rank: Rank)
        case throwsError(rank: Rank)
    }

    let ranks: Int
    let fault: Fault
    private let meeting: Meeting

    init(ranks: Int, fault: Fault = .none) {
        self.ranks = ranks
        self.fault = fault
        meeting = Meeting(ranks: ranks)
    }

    /// Runs the body as every rank, each on its own thread, and returns what each returned or threw.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (FakeRank) throws -> Value
    ) async -> [Result<Value, any Error>] {
        await withTaskGroup(of: (Rank, Result<Value, any Error>).self) { group in
            for rank in 0..<ranks {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        Thread.start {
                            let result = Result { try body(FakeRank(world: self, rank: rank)) }
                            if case .failure = result { self.meeting.abandon() }
                            continuation.resume(returning: (rank, result))
                        }
                    }
                }
            }
            var results: [Rank: Result<Value, any Error>] = [:]
            for await (rank, result) in group { results[rank] = result }
            return results.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// Hands over this rank's item and returns those of all ranks, once all have come.
    func exchange(_ item: [UInt8], rank: Rank) throws -> [[UInt8]] {
        try meeting.exchange(item, rank: rank)
    }
}

/// A place where all ranks hand over bytes and get everyone's.
private final class Meeting: Sendable {
    private struct State {
        var items: [[UInt8]]
        var arrived = 0
        var round = 0
        var results: [[UInt8]] = []
        var isAbandoned = false
    }

    private let ranks: Int
    private let state: Monitor<State>

    init(ranks: Int) {
        self.ranks = ranks
        state = Monitor(State(items: Array(repeating: [], count: ranks)))
    }

    func abandon() { state.withLock { $0.isAbandoned = true } }

    func exchange(_ item: [UInt8], rank: Rank) throws -> [[UInt8]] {
        let round = state.withLock { state in
            state.items[rank] = item
            state.arrived += 1
            let round = state.round
            if state.arrived == ranks {
                state.results = state.items
                state.arrived = 0
                state.round += 1
            }
            return round
        }
        while true {
            let (results, isAbandoned) = state.withLock {
                ($0.round > round ? $0.results : nil, $0.isAbandoned)
            }
            if let results { return results }
            if isAbandoned { throw CollectiveError(.peerLost, "a rank of the fake world gave up") }
            sched_yield()
        }
    }
}

/// A thread of its own, since ranks block.
private enum Thread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func start(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Body(body)).toOpaque()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, argument)
        precondition(result == 0, "no thread for a rank")
        pthread_detach(thread)
    }
}
