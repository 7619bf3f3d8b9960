// One rank of a job, for tests that kill or stop it. It says on standard output, a line each, how far it has come,
// and ends with `peer N` and the error once it has failed.
//
// usage: fault-subject idle|busy [COUNT]|parts|once

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

do {
    let world = try Communicator.connectBlocking(.fromEnvironment())
    say("connected")
    switch CommandLine.arguments.dropFirst().first {
    case "idle":
        try world.run(.barrier())
        say("ready")
        // The signal comes now; a rank that survives finds out at its next call.
        sleep(1)
        try world.run(.barrier())
    case "busy":
        let count = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 8 << 20
        let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
        buffer.initialize(repeating: 0)
        try world.allReduce(buffer, .sum)
        say("ready")
        while true { try world.allReduce(buffer, .sum) }
    case "parts":
        // Two more communicators of all ranks, with their numbers the other way round, and one of half of them.
        let reversed = try world.split(color: 0, key: -world.rank)!
        let half = try world.split(color: world.rank % 2)!
        say("ready")
        sleep(1)
        for (name, communicator) in [("reversed", reversed), ("half", half)] {
            do {
                try communicator.run(.barrier())
                say("\(name): well")
            } catch let error as CollectiveError {
                say("\(name): \(error.peer.map { "\(communicator.members[$0])" } ?? "nobody"): \(error)")
            }
        }
        try world.run(.barrier())
    default:
        let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: 1000)
        buffer.initialize(repeating: Float(world.rank))
        try world.allReduce(buffer, .sum)
        let expected = Float(world.worldSize * (world.worldSize - 1) / 2)
        say(buffer.allSatisfy { $0 == expected } ? "right" : "wrong")
    }
    world.close()
} catch let error as CollectiveError {
    say("peer \(error.peer.map(String.init) ?? "nobody"): \(error)")
    exit(1)
}
