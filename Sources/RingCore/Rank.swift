/// A process's number within its communicator, from 0 to the world size minus one.
///
/// The *world size* is how many ranks a communicator has; the *local rank* numbers the ranks of one host.
public typealias Rank = Int
