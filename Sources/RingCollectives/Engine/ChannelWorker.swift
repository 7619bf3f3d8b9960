import RingCore
import RingSystem

/// A thread that drives one channel beyond the first.
final class ChannelWorker: Sendable {
    private struct Desk {
        var isWanted = false
        var isBusy = false
        var isDone = false
    }

    private let desk = Monitor(Desk())

    /// A thread that does `job` whenever it is asked to.
    init(name: String, job: @escaping @Sendable () -> Void) throws {
        _ = try SystemThread(name: name) { [desk] in
            while true {
                let isWanted = desk.wait(until: .after(.seconds(3600))) { desk -> Bool? in
                    if desk.isWanted {
                        desk.isWanted = false
                        return true
                    }
                    return desk.isDone ? false : nil
                }
                guard let isWanted else { continue }
                guard isWanted else { return }
                job()
                desk.withLock(notifying: true) { $0.isBusy = false }
            }
        }
    }

    /// Asks for the job to be done. The thread must be idle.
    func begin() {
        desk.withLock(notifying: true) { desk in
            precondition(!desk.isBusy, "a channel's worker was given two jobs at once")
            desk.isBusy = true
            desk.isWanted = true
        }
    }

    /// Waits for the job's end; a job ends by its own deadline.
    func finish() {
        while desk.wait(until: .after(.seconds(3600)), for: { $0.isBusy ? nil : true }) == nil {}
    }

    /// Ends the thread once it is idle.
    func stop() {
        desk.withLock(notifying: true) { $0.isDone = true }
    }
}
