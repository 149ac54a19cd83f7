using System.Globalization;
using System.Text;
using Microsoft.Extensions.Options;
using OllamaMax.Models;

namespace OllamaMax.GpuWorker.Models;

/// <summary>
/// The files of the copies on this box, which several workers may share: <c>sha256-…</c>, checked against its digest before it got that name; beside it <c>.chunks</c>, the list of
/// its pieces, without which it is not taken for a copy; <c>.pinned</c>, where it is to stay; <c>.partial</c>, one on its way; and <c>.reserved</c>, the bytes that this one will
/// have. Locks are the system's, and end with the process: who uses a copy has its list open, who deletes it or makes it has the list, or the partial file, alone; and who looks
/// what room there is, or whether a copy is there, to act on it has <c>lock</c>.
/// </summary>
internal sealed class ReplicaFolder(IOptions<WorkerOptions> options, TimeProvider time)
{
    private const string Lists = ".chunks";
    private const string Pins = ".pinned";
    private const string Partials = ".partial";
    private const string Reservations = ".reserved";

    /// <summary>Of all files of a copy.</summary>
    private static readonly string[] Endings = ["", Lists, Pins, Partials, Reservations];

    private const int HeldOnLinux = 11;
    private const int HeldOnMac = 35;
    private const int HeldOnWindows = unchecked((int)0x8007_0020);
    private const int DiskFullOnUnix = 28;
    private const int QuotaOnLinux = 122;
    private const int QuotaOnMac = 69;
    private const int DiskFullOnWindows = unchecked((int)0x8007_0070);

    private static readonly TimeSpan LockCheck = TimeSpan.FromMilliseconds(20);

    /// <summary>To others it is closed. On Windows a file can be renamed or deleted only where its opener has said so; elsewhere that would be no lock.</summary>
    private static readonly FileShare Alone = OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;

    private readonly string _folder = options.Value.ReplicaFolder;
    private readonly string _probe = $"{Guid.NewGuid():n}.probe";
    private string? _id;

    /// <summary>What this folder is told from others by, whoever looks into it; null while it cannot be read or written.</summary>
    public string? Id => _id ??= ReadId();

    /// <summary>Digests of all copies here.</summary>
    public IReadOnlyList<string> List() => [.. Files().Where(file => file.Extension.Length == 0).Select(DigestOf)];

    /// <summary>The digests of those that are to stay.</summary>
    public IReadOnlySet<string> Pinned() => Files().Where(file => file.Extension == Pins).Select(DigestOf).ToHashSet();

    /// <summary>Bytes of all files, those on their way included.</summary>
    public long Bytes(Func<string, bool> isCounted) => Files().Where(file => isCounted(DigestOf(file))).Sum(LengthOf);

    /// <summary>Bytes that copies on their way will still take, whichever worker of the box makes them.</summary>
    /// <param name="besides">The digest of one that is not counted.</param>
    public long Promised(string besides) => Files().Where(file => file.Extension == Reservations && DigestOf(file) != besides).Sum(ToCome);

    /// <summary>Bytes that deleting the copy now, or what there is of one, gives free: none where somebody uses it or makes it.</summary>
    public long IdleBytes(string digest)
    {
        string path = PathOf(digest);
        bool isThere = File.Exists(path) || File.Exists(path + Partials);
        // Its own files alone: whoever makes room asks this of one copy after the other.
        return isThere && IsFree(path + Partials) && IsFree(path + Lists) ? Endings.Sum(ending => LengthOf(new FileInfo(path + ending))) : 0;
    }

    /// <summary>Makes it where it is not there, and sees whether it can be written. One that others fill, and that this worker only reads, is good where copies are in it.</summary>
    /// <exception cref="ReplicaException">It cannot be used.</exception>
    public void ThrowIfUnusable()
    {
        try
        {
            Directory.CreateDirectory(_folder);
            if (Files().Length == 0)
                Probe();
            FreeBytes();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ReplicaException($"the folder for copies of models, {_folder}, cannot be used: {e.Message}", e);
        }
    }

    /// <summary>Why nothing can be written there; null: something can.</summary>
    public string? WhyNotWritable()
    {
        try
        {
            Directory.CreateDirectory(_folder);
            Probe();
            return null;
        }
        catch (IOException e) when (IsDiskFull(e))
        {
            // Copies can be deleted there, which makes room.
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    public static bool IsDiskFull(IOException e) => e.HResult is DiskFullOnUnix or QuotaOnLinux or QuotaOnMac or DiskFullOnWindows;

    /// <summary>Where the copy lies, or would lie.</summary>
    public string PathOf(string digest) => Path.Combine(_folder, ModelDigest.FileName(digest));

    /// <summary>Bytes that the disk has for more.</summary>
    public long FreeBytes()
    {
        Directory.CreateDirectory(_folder);
        string path = Path.GetFullPath(_folder);
        // On Windows a share has no drive to ask: its budget, or a write that fails, is the bound. Half, as what leaves is added to it.
        return OperatingSystem.IsWindows() && path.StartsWith(@"\\", StringComparison.Ordinal) ? long.MaxValue / 2 : new DriveInfo(path).AvailableFreeSpace;
    }

    /// <summary>Nobody else on the box has this until it is disposed of. For moments only.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public async Task<IDisposable> LockAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_folder);
        string path = Path.Combine(_folder, "lock");
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException e) when (IsHeld(e))
            {
                // Other processes' moments are no matter of this one's clock.
                await Task.Delay(LockCheck, TimeProvider.System, cancellationToken);
            }
        }
    }

    /// <summary>The copy and the list of its pieces. Null: there is none, or it is being deleted.</summary>
    public (Replica Replica, ModelChunks Chunks)? TryHold(string digest)
    {
        FileStream? hold = null;
        try
        {
            hold = new FileStream(PathOf(digest) + Lists, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            byte[] list = new byte[hold.Length];
            hold.ReadExactly(list);
            ModelChunks chunks = ModelChunks.Parse(list);
            if (File.Exists(PathOf(digest)))
                return (new Replica(PathOf(digest), hold), chunks);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            // Not there, being deleted, or cut off where a box was switched off: made anew, which fetches only what is missing.
        }
        hold?.Dispose();
        return null;
    }

    /// <summary>Whether there is such a copy.</summary>
    public bool Holds(string digest)
    {
        if (TryHold(digest) is not var (replica, _))
            return false;
        replica.Dispose();
        return true;
    }

    /// <summary>It is used now: who has not been for longest makes way first.</summary>
    public void Touch(string digest)
    {
        try
        {
            File.SetLastWriteTimeUtc(PathOf(digest) + Lists, time.GetUtcNow().UtcDateTime);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another user's file, as where boxes are given their copies, or a disk that is mounted read-only: who may not write there deletes nothing there either.
        }
    }

    /// <summary>The file of a copy on its way, for nobody else. Null: another worker of this box has it, or is just deleting it. Whoever calls has the folder's lock: nobody else makes it meanwhile.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public FileStream? TryTakePartial(string digest)
    {
        Directory.CreateDirectory(_folder);
        string path = PathOf(digest) + Partials;
        try
        {
            FileStream partial = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, Alone, bufferSize: 0, FileOptions.Asynchronous);
            // A file is opened first and locked then: one that was deleted in between has no name any more, and what is fetched into it would be lost.
            if (File.Exists(path))
                return partial;
            partial.Dispose();
            return null;
        }
        catch (IOException e) when (IsHeld(e))
        {
            return null;
        }
    }

    /// <summary>What is no copy any more, as it is damaged or has lost its list, is one on its way again: its whole pieces need not come again.</summary>
    public void Demote(string digest)
    {
        Directory.CreateDirectory(_folder);
        File.Delete(PathOf(digest) + Lists);
        if (!File.Exists(PathOf(digest)) || File.Exists(PathOf(digest) + Partials))
            return;
        File.Move(PathOf(digest), PathOf(digest) + Partials);
        // It is as old as what was fetched now, not as the copy.
        File.SetLastWriteTimeUtc(PathOf(digest) + Partials, time.GetUtcNow().UtcDateTime);
    }

    /// <summary>The file has been verified: it is a copy from now on. It is closed, as who loads it opens it.</summary>
    public void Promote(FileStream partial, ModelChunks chunks)
    {
        // Before the name says that it is whole; a box may be switched off the moment after.
        RandomAccess.FlushToDisk(partial.SafeFileHandle);
        File.Move(partial.Name, PathOf(chunks.Digest), overwrite: true);
        partial.Dispose();
        File.WriteAllBytes(PathOf(chunks.Digest) + Lists, chunks.ToBytes());
    }

    public void DeletePartial(string digest) => File.Delete(PathOf(digest) + Partials);

    /// <summary>Digests of copies on their way to whose files nobody has written since, whether or not somebody has them.</summary>
    public IReadOnlyList<string> PartialsBefore(DateTimeOffset since) => [.. Files().Where(file => file.Extension == Partials && file.LastWriteTimeUtc < since.UtcDateTime).Select(DigestOf)];

    /// <summary>Deletes what there is of a copy on its way. False: somebody makes it, or there is nothing.</summary>
    public bool TryDeletePartial(string digest) => File.Exists(PathOf(digest) + Partials) && TryDeleteAlone(PathOf(digest) + Partials, FileMode.Open, alongside: PathOf(digest) + Reservations);

    /// <summary>Says how many bytes the copy will have that is on its way, for as long as its partial file is taken.</summary>
    public void Reserve(string digest, long size) => File.WriteAllText(PathOf(digest) + Reservations, size.ToString(CultureInfo.InvariantCulture));

    public void Release(string digest) => File.Delete(PathOf(digest) + Reservations);

    /// <summary>Deletes the copy, or what there is of one. False: somebody uses it or makes it, or there is nothing.</summary>
    public bool TryDelete(string digest)
    {
        string path = PathOf(digest);
        bool isPartialGone = TryDeletePartial(digest);
        // Made where it is missing: it is what the copy is locked by.
        bool isCopyGone = File.Exists(path) && TryDeleteAlone(path + Lists, FileMode.OpenOrCreate, alongside: path);
        return isCopyGone || isPartialGone;
    }

    public void Pin(string digest, bool isPinned)
    {
        if (isPinned)
            File.WriteAllBytes(PathOf(digest) + Pins, []);
        else
            File.Delete(PathOf(digest) + Pins);
    }

    /// <summary>What may be deleted, the one that was not used for longest first.</summary>
    public IReadOnlyList<string> LeastRecentlyUsed()
    {
        IReadOnlySet<string> pinned = Pinned();
        return
        [
            // Without a list it is no copy, or not yet one, and goes first.
            .. Files().Select(DigestOf).Distinct().Where(digest => !pinned.Contains(digest)).OrderBy(digest => File.GetLastWriteTimeUtc(PathOf(digest) + Lists)),
        ];
    }

    private void Probe()
    {
        using FileStream probe = new(Path.Combine(_folder, _probe), FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        probe.WriteByte(0);
    }

    /// <summary>Somebody else has the file. Whatever else is in the way does not pass by waiting.</summary>
    private static bool IsHeld(IOException e) => e.HResult is HeldOnLinux or HeldOnMac or HeldOnWindows;

    private static bool TryDeleteAlone(string locked, FileMode mode, string alongside)
    {
        try
        {
            using FileStream file = new(locked, mode, FileAccess.ReadWrite, Alone);
            File.Delete(alongside);
            File.Delete(locked);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private long ToCome(FileInfo reservation)
    {
        FileInfo partial = new(PathOf(DigestOf(reservation)) + Partials);
        try
        {
            // Where nobody has the partial file any more, who made the reservation was killed.
            return IsFree(partial.FullName) ? 0 : Math.Max(0, long.Parse(File.ReadAllText(reservation.FullName), CultureInfo.InvariantCulture) - LengthOf(partial));
        }
        catch (Exception e) when (e is IOException or FormatException)
        {
            return 0; // Its copy has just come, or is only about to be reserved.
        }
    }

    /// <summary>Whether nobody has the file, be it there or not.</summary>
    private static bool IsFree(string locked)
    {
        try
        {
            using FileStream file = new(locked, FileMode.Open, FileAccess.ReadWrite, Alone);
            return true;
        }
        catch (FileNotFoundException)
        {
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private string? ReadId()
    {
        string file = Path.Combine(_folder, "disk.id");
        try
        {
            Directory.CreateDirectory(_folder);
            using FileStream own = new(file, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            own.Write(Encoding.ASCII.GetBytes(Guid.NewGuid().ToString("n")));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is there, as a rule.
        }
        try
        {
            // What another worker is just writing is read with the next report.
            return File.ReadAllText(file) is { Length: 32 } id ? id : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private FileInfo[] Files() => Directory.Exists(_folder) ? new DirectoryInfo(_folder).GetFiles("sha256-*") : [];

    private static string DigestOf(FileInfo file) => Path.GetFileNameWithoutExtension(file.Name).Replace('-', ':');

    private static long LengthOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0; // Deleted, or renamed, since it was listed.
        }
    }
}
