using OllamaMax.GpuWorker.Health;
using OllamaMax.Inference.Native;

namespace OllamaMax.GpuWorker.Models;

/// <summary>The memory that models share: who fits beside whom, and who makes way. Without state; the host's lock guards the entries.</summary>
internal sealed class ModelRoom(MachineMemory memory, WorkerOptions options, TimeProvider time)
{
    /// <summary>What was used so shortly ago most likely is again: it is not put out for one that only is to be ready.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(1);

    /// <summary>Bytes to set aside: with all there is, where that is too little for the whole context.</summary>
    /// <exception cref="ModelLoadException">There can never be enough.</exception>
    public long NeedOf(ModelEntry entry)
    {
        long least = entry.Need!.Least;
        return least <= memory.Budget
            ? Math.Min(entry.Need.Total, memory.Budget)
            : throw new ModelLoadException($"the model needs {Megabytes(least)} MB of memory even for one request with a small context ({Megabytes(entry.Need.Weights)} MB are its weights), this worker has {Megabytes(memory.Budget)} MB for models");
    }

    public bool TryReserve(ModelEntry entry, long need, IReadOnlyCollection<ModelEntry> all)
    {
        if (all.Sum(other => other.Reserved) + need > memory.Budget || all.Count(other => other.HasRoom) >= options.LoadedModels)
            return false;
        entry.Reserved = need;
        entry.HasRoom = true;
        return true;
    }

    /// <summary>Bytes that it may take: what others have not set aside.</summary>
    public long FreeFor(ModelEntry entry, IReadOnlyCollection<ModelEntry> all) => memory.Budget - all.Sum(other => other == entry ? 0 : other.Reserved);

    /// <summary>Who is on its way out already; then one that no policy keeps, that nobody uses, that was not used for longest.</summary>
    public static ModelEntry? ToPutOut(IReadOnlyCollection<ModelEntry> all) => all
        .Where(other => other.Engine is not null)
        .OrderBy(other => other.Leaving is null)
        .ThenBy(other => other.IsWarm)
        .ThenBy(other => other.Uses > 0)
        .ThenBy(other => other.UsedAt)
        .FirstOrDefault();

    /// <summary>One that nobody uses and whose place on the GPUs another needs, to have all of its layers there. Null: it has them, or would not if all of these left.</summary>
    public ModelEntry? ToPutOffGpus(ModelEntry entry, IReadOnlyCollection<ModelEntry> all) => InTheWay(entry.Need!, [.. all.Where(other => other != entry)]).FirstOrDefault();

    /// <summary>Whether one can come without putting out any that somebody uses, or used a short while ago, or that is to stay.</summary>
    public bool HasRoomBeside(MemoryNeed need, IReadOnlyCollection<ModelEntry> all)
    {
        ModelEntry[] staying = [.. all.Where(entry => entry.IsWarm || entry.Uses > 0 || entry.Engine is null || time.GetElapsedTime(entry.UsedAt) < Rest)];
        return need.Least <= memory.Budget && staying.Length < options.LoadedModels
            && staying.Sum(entry => entry.Reserved) + Math.Min(need.Total, memory.Budget) <= memory.Budget
            && !InTheWay(need, all).Exists(staying.Contains);
    }

    /// <summary>Who would leave the GPUs for it, the one unused for longest first; nobody where that would not be enough.</summary>
    private List<ModelEntry> InTheWay(MemoryNeed need, IReadOnlyCollection<ModelEntry> others)
    {
        List<ModelEntry> leaving = [];
        if (need.Vram == 0)
            return leaving;
        long over = need.Vram + others.Sum(other => other.VramBytes) - memory.Gpus.Sum(gpu => gpu.FreeBytes);
        foreach (ModelEntry idle in others.Where(other => other is { VramBytes: > 0, Uses: 0, IsWarm: false }).OrderBy(other => other.Leaving is null).ThenBy(other => other.UsedAt))
        {
            if (over <= 0)
                break;
            leaving.Add(idle);
            over -= idle.VramBytes;
        }
        return over > 0 ? [] : leaving;
    }

    private static long Megabytes(long bytes) => bytes >> 20;
}
