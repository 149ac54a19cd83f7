namespace OllamaMax.GpuWorker.Models;

/// <summary>
/// The disk that copies have. With a budget the one unused for longest makes way for another, also where others have filled the disk before the budget is used up; without one nobody does:
/// a full disk is its operator's to empty.
/// </summary>
/// <param name="folder">Of the copies.</param>
/// <param name="budget">Bytes of all of them; null: none is set.</param>
internal sealed class ReplicaRoom(ReplicaFolder folder, long? budget)
{
    /// <summary>Bytes for further copies without deleting any.</summary>
    public long Free => budget is { } most ? Math.Clamp(most - folder.Bytes(_ => true), 0, folder.FreeBytes()) : folder.FreeBytes();

    /// <summary>Bytes of copies that go when others need their room, those in use included, as they will not be for ever; null: none ever do.</summary>
    public long? Evictable
    {
        get
        {
            IReadOnlySet<string> pinned = folder.Pinned();
            return budget is null ? null : folder.Bytes(digest => !pinned.Contains(digest));
        }
    }

    /// <summary>Sees to it that there is room, and deletes nothing where there will be none. Whoever calls has the folder's lock.</summary>
    /// <param name="digest">Of the copy that is to be made.</param>
    /// <param name="size">Its bytes.</param>
    /// <param name="there">Of them, those that are on the disk already.</param>
    /// <param name="evict">Deletes one that nobody uses.</param>
    /// <exception cref="ReplicaException">There can be none.</exception>
    public void Make(string digest, long size, long there, Func<string, bool> evict)
    {
        long most = budget ?? long.MaxValue, toCome = size - there;
        if (size > most)
            throw new ReplicaException($"model {digest} has {Megabytes(size)} MB, and the disk budget is {Megabytes(most)} MB");
        long promised = folder.Promised(digest);
        long taken = folder.Bytes(other => other != digest) + promised, free = folder.FreeBytes() - promised;
        List<string> leaving = [];
        foreach (string other in budget is null ? [] : folder.LeastRecentlyUsed().Where(other => other != digest))
        {
            if (size <= most - taken && toCome <= free)
                break;
            long idle = folder.IdleBytes(other);
            if (idle == 0)
                continue;
            leaving.Add(other);
            taken -= idle;
            free += idle;
        }
        if (toCome > free)
            throw new ReplicaException($"model {digest} needs {Megabytes(toCome)} MB of disk, and {Math.Max(0, free) >> 20} MB are free");
        // One may have been taken since it was looked at.
        if (size > most - taken || !leaving.TrueForAll(other => evict(other)))
        {
            throw new ReplicaException(
                $"model {digest} has {Megabytes(size)} MB, and of the disk budget of {Megabytes(most)} MB copies that are pinned, in use or on their way take {Megabytes(taken)} MB");
        }
    }

    private static long Megabytes(long bytes) => (bytes + (1 << 20) - 1) >> 20;
}
