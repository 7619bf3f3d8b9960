// One rank of a job that counts what its threads allocate while a collective is repeated. It says on standard output, a
// line each, `NAME: THREAD ALLOCATIONS` for every thread that has allocated meanwhile, `NAME: nothing` if none has,
// and `done` at the end.
//
// usage: allocation-subject blocking|started

import CAllocationCounter
import RingCollectives

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Writes a line at once, whatever standard output is.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(1, bytes, bytes.count)
}

/// The name of one of this process's threads.
func name(ofThread thread: Int32) -> String {
    let descriptor = open("/proc/self/task/\(thread)/comm", O_RDONLY)
    guard descriptor >= 0 else { return "ended" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = read(descriptor, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count - 1)), as: UTF8.self)
}

let mostThreads = Int(RING_MOST_THREADS)

/// Says what all threads allocate while `body` runs so often, once it has run so often before.
func measure(_ title: String, times: Int, _ world: Communicator, _ body: () throws -> Void) throws {
    for _ in 0..<times { try body() }
    try world.run(.barrier())
    // Memory of its own before it counts.
    let before = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: mostThreads)
    let after = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: mostThreads)
    defer {
        before.deallocate()
        after.deallocate()
    }
    for place in 0..<mostThreads { before[place] = ring_allocation_count(Int32(place)) }
    for _ in 0..<times { try body() }
    for place in 0..<mostThreads { after[place] = ring_allocation_count(Int32(place)) }
    var hasAllocated = false
    for place in 0..<mostThreads where after[place] > before[place] {
        let thread = ring_allocation_thread(Int32(place))
        say("\(title): \(name(ofThread: thread)) \(after[place] - before[place])")
        hasAllocated = true
    }
    if !hasAllocated { say("\(title): nothing") }
    precondition(ring_allocation_threads() <= mostThreads, "more threads than are counted")
}

do {
    let world = try Communicator.connectBlocking(.fromEnvironment())
    let isStarted = CommandLine.arguments.dropFirst().first == "started"
    // Whoever waits long goes to sleep, and what that needs for the first time is allocated for good.
    for late in 0..<world.worldSize {
        if late == world.rank { usleep(20_000) }
        try world.run(.barrier())
    }
    for count in [1, 1_000, 600_000] {
        let whole = count * world.worldSize
        let input = UnsafeMutableBufferPointer<Float>.allocate(capacity: whole)
        let output = UnsafeMutableBufferPointer<Float>.allocate(capacity: whole)
        input.initialize(repeating: 1)
        output.initialize(repeating: 0)
        let part = UnsafeMutableBufferPointer(rebasing: output[0..<count])
        let next = (world.rank + 1) % world.worldSize
        let previous = (world.rank + world.worldSize - 1) % world.worldSize
        let operations: [(String, () -> [CollectiveOperation])] = [
            ("all-reduce", { [.allReduce(part, .max)] }),
            ("broadcast", { [.broadcast(part, root: 0)] }),
            ("reduce", { [.reduce(part, .max, root: 1)] }),
            ("reduce-scatter", { [.reduceScatter(from: UnsafeBufferPointer(input), into: part, .sum)] }),
            (
                "all-gather",
                { [.allGather(from: UnsafeBufferPointer(rebasing: input[0..<count]), into: output)] }
            ),
            ("gather", { [.gather(output, root: 0)] }),
            ("scatter", { [.scatter(output, root: 0)] }),
            ("all-to-all", { [.allToAll(from: UnsafeBufferPointer(input), into: output)] }),
            ("barrier", { [.barrier()] }),
            (
                "message",
                {
                    [
                        .send(UnsafeBufferPointer(rebasing: input[0..<count]), to: next),
                        .receive(into: part, from: previous),
                    ]
                }
            ),
        ]
        for (name, make) in operations {
            let made = make()
            let single = made[0]
            try measure("\(name) of \(count)", times: count < 10_000 ? 300 : 20, world) {
                if isStarted, made.count == 1 {
                    try world.start(single).wait()
                } else if isStarted {
                    for work in try world.start(group: made) { try work.wait() }
                } else if made.count == 1 {
                    try world.run(single)
                } else {
                    _ = try world.run(group: made)
                }
            }
        }
        input.deallocate()
        output.deallocate()
    }
    say("done")
    world.close()
} catch {
    say("failed: \(error)")
    exit(1)
}
