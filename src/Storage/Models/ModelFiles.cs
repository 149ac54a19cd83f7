namespace OllamaMax.Storage.Models;

/// <summary>The files of a model as they are at a moment: whether they have changed since, or are those of the last time, is seen by it.</summary>
/// <param name="Path">Of the first, in full.</param>
/// <param name="Size">Bytes of all.</param>
/// <param name="ModifiedAt">When the last of them was changed.</param>
internal sealed record ModelFiles(string Path, long Size, DateTime ModifiedAt)
{
    /// <exception cref="IOException">One is not there.</exception>
    public static ModelFiles Look(IReadOnlyList<string> files)
    {
        FileInfo[] all = [.. files.Select(file => new FileInfo(file))];
        return new(all[0].FullName, all.Sum(file => file.Length), all.Max(file => file.LastWriteTimeUtc));
    }
}
