import RingCore
import RingSystem

/// A thread that drives one channel beyond the first.
final class ChannelWorker: Sendable {
    private struct Desk {
        var job: (@Sendable () -> Void)?
        var isBusy = false
        var isDone = false
    }

    private let desk = Monitor(Desk())

    init(name: String) throws {
        _ = try SystemThread(name: name) { [desk] in
            while true {
                let job = desk.wait(until: .after(.seconds(3600))) { desk -> (@Sendable () -> Void)?? in
                    if let job = desk.job {
                        desk.job = nil
                        return .some(job)
                    }
                    return desk.isDone ? .some(nil) : nil
                }
                guard let job else { continue }
                guard let job else { return }
                job()
                desk.withLock(notifying: true) { $0.isBusy = false }
            }
        }
    }

    /// Runs `job` on the worker's thread. It must be idle.
    func begin(_ job: @escaping @Sendable () -> Void) {
        desk.withLock(notifying: true) { desk in
            precondition(!desk.isBusy, "a channel's worker was given two jobs at once")
            desk.isBusy = true
            desk.job = job
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
