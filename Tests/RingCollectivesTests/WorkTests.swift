import RingCollectives
import RingCore
import RingSystem
import RingTransport
import Testing

/// Operations in flight: their order, their handles, their end.
@Suite struct WorkTests {
    /// Memory that outlives the operation that uses it.
    final class Memory: @unchecked Sendable {
        // Only touched before an operation starts and after it has ended.
        let elements: UnsafeMutableBufferPointer<Int64>

        init(_ count: Int, _ value: Int) {
            elements = .allocate(capacity: count)
            elements.initialize(repeating: Int64(value))
        }

        deinit { elements.deallocate() }
    }

    // MARK: Handles

    @Test(arguments: [1, 2, 3]) func manyInFlight(worldSize: Int) async throws {
        try await withRanks(worldSize) { communicator in
            let memories = (0..<60).map { Memory($0 * 37 % 500, (communicator.rank + 1) * $0) }
            let works = try memories.map { try communicator.start(.allReduce($0.elements, .sum)) }
            let total = worldSize * (worldSize + 1) / 2
            for index in [29, 59] {
                try works[index].wait()
                // What was started earlier has ended earlier.
                for earlier in 0...index {
                    guard works[earlier].isFinished, works[earlier].statistics != nil,
                        memories[earlier].elements.allSatisfy({ $0 == Int64(total * earlier) })
                    else { throw Wrong(description: "rank \(communicator.rank): operation \(earlier)") }
                }
            }
            for work in works { try work.wait() }
        }
    }

    /// A blocking call takes its turn behind what has been started.
    @Test func blockingCallQueues() async throws {
        try await withRanks(3) { communicator in
            let memory = Memory(50_000, 1)
            let work = try communicator.start(.allReduce(memory.elements, .sum))
            try communicator.barrier()
            guard work.isFinished, memory.elements.allSatisfy({ $0 == 3 }) else {
                throw Wrong(description: "rank \(communicator.rank): the barrier overtook the all-reduce")
            }
        }
    }

    @Test(arguments: [1, 2, 4]) func statistics(worldSize: Int) async throws {
        try await withRanks(worldSize) { communicator in
            let count = 120 * worldSize
            let memory = Memory(count, 1)
            let operations: [(CollectiveOperation, factor: Int)] = [
                (.allReduce(memory.elements, .max), 2), (.reduceScatter(memory.elements, .max), 1),
                (.allGather(memory.elements), 1),
            ]
            for (operation, factor) in operations {
                let work = try communicator.start(operation)
                try work.wait()
                let expected = factor * (worldSize - 1) * count * 8 / worldSize
                for statistics in [work.statistics, try communicator.run(operation)] {
                    guard statistics?.wireBytes == expected, statistics?.algorithm == "ring",
                        statistics!.duration > .zero
                    else {
                        throw Wrong(description: "\(operation.collective): \(String(describing: statistics))")
                    }
                }
            }
            guard try communicator.run(.barrier()).wireBytes == 0 else {
                throw Wrong(description: "a barrier has no payload")
            }
        }
    }

    /// A handle before, at and after its operation's end.
    @Test func handle() async throws {
        let group = try await RankGroup.connect(2)
        let memory = Memory(10, 1)
        let work = try group.communicators[1].start(.allReduce(memory.elements, .sum))
        #expect(!work.isFinished)
        #expect(work.statistics == nil)
        let other = Memory(10, 2)
        try await group.communicators[0].start(.allReduce(other.elements, .sum)).value
        try await work.value
        #expect(work.isFinished)
        #expect(work.statistics?.wireBytes == 80)
        #expect(memory.elements.allSatisfy { $0 == 3 })
        // It may be waited for again, and cancelling what has ended does nothing.
        try await work.value
        work.cancel()
        for outcome in await group.run({ try $0.barrier() }) { try outcome.get() }
        await group.close()
    }

    // MARK: Cancelling

    /// The operation of a cancelled task ends on all ranks, also if it is still in the queue.
    @Test(arguments: [1, 5]) func cancelledTask(operations: Int) async throws {
        let group = try await RankGroup.connect(3)
        let outcomes = await group.runTasks { communicator in
            // Rank 0 comes when all is over, so that nothing can end well.
            guard communicator.rank != 0 else { return }
            for _ in 1..<operations { _ = try communicator.start(.barrier()) }
            let waiting = Task { try await communicator.barrier() }
            if communicator.rank == 1 {
                try await Task.sleep(for: .milliseconds(50))
                waiting.cancel()
            }
            try await waiting.value
        }
        let error = try FailureTests.commonError(outcomes, of: [1, 2])
        #expect(error.code == .cancelled)
        #expect(error.peer == 1)
        #expect(error.message.contains("rank 1 cancelled an operation: barrier"), "\(error)")
        try await FailureTests.expectLasting(error, on: group)
        await group.close()
    }

    @Test func cancelledHandle() async throws {
        let group = try await RankGroup.connect(2)
        let work = try group.communicators[0].start(.barrier())
        work.cancel()
        let error = try #require(Result { try work.wait() }.collectiveError)
        #expect(error.code == .cancelled)
        #expect(error.peer == 0)
        #expect(work.isFinished)
        #expect(work.statistics == nil)
        try await FailureTests.expectLasting(error, on: group)
        await group.close()
    }

    // MARK: Order

    /// Operations that share memory take effect in their order, however many are in hand.
    @Test(arguments: [1, 3]) func sharedMemory(channels: Int) async throws {
        var options = RankOptions()
        options.transport.channels = channels
        try await withRanks(3, options) { communicator in
            let memory = Memory(600_000, communicator.rank + 1)
            let copy = Memory(600_000, 0)
            let works = [
                try communicator.start(.allReduce(memory.elements, .sum)),
                try communicator.start(.allReduce(memory.elements, .sum)),
                try communicator.start(
                    .allReduce(from: UnsafeBufferPointer(memory.elements), into: copy.elements, .max)),
                try communicator.start(.broadcast(memory.elements, root: 1)),
                try communicator.start(.allReduce(copy.elements, .sum)),
            ]
            for work in works { try work.wait() }
            // 1 + 2 + 3, three times that, three times the greatest.
            guard memory.elements.allSatisfy({ $0 == 18 }), copy.elements.allSatisfy({ $0 == 54 }) else {
                throw Wrong(
                    description: "\(memory.elements[0]), \(copy.elements[0]) instead of 18, 54 at rank "
                        + "\(communicator.rank)")
            }
        }
    }

    // MARK: Closing

    /// What has been started is waited for, and later calls are refused.
    @Test func closeWithQueue() async throws {
        let group = try await RankGroup.connect(2)
        let network = try #require(group.network)
        let communicator = group.communicators[1]
        let memory = Memory(100, 1)
        let running = try communicator.start(.allReduce(memory.elements, .sum))
        let queued = try (0..<3).map { _ in try communicator.start(.barrier()) }
        // It has begun once it asks for its link.
        let limit = Deadline.after(RankOptions.limit)
        while network.linkCount < 2, !limit.hasPassed { try await Task.sleep(for: .milliseconds(2)) }
        async let closing = onThreads(1, within: RankOptions.limit) { _ in communicator.close() }
        let other = Memory(100, 2)
        try await group.communicators[0].start(.allReduce(other.elements, .sum)).value
        try await running.value
        #expect(memory.elements.allSatisfy { $0 == 3 })
        for _ in queued { try await group.communicators[0].barrier() }
        for work in queued { try await work.value }
        for outcome in await closing { try outcome.get() }
        await group.close()
    }

    @Test(arguments: [1, 2]) func callsAfterClose(worldSize: Int) async throws {
        let group = try await RankGroup.connect(worldSize)
        for outcome in await group.run({ try $0.barrier() }) { try outcome.get() }
        await group.close()
        await group.close()
        for communicator in group.communicators {
            for error in [
                Result { try communicator.barrier() }.collectiveError,
                Result { try communicator.start(.barrier()).wait() }.collectiveError,
                Result { try FailureTests.sum(communicator) }.collectiveError,
            ] {
                #expect(error?.code == .closed)
                #expect(error?.peer == communicator.rank)
                #expect(error?.message.contains("rank \(communicator.rank)") == true)
            }
        }
    }
}
