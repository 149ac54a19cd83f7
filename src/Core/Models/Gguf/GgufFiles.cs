namespace OllamaMax.Models.Gguf;

/// <summary>A model in files of this machine: one GGUF, or all parts of a split one.</summary>
public static class GgufFiles
{
    /// <param name="path">A GGUF, any of the parts of a split one, or a folder that has one model in it.</param>
    /// <returns>The files in their order.</returns>
    /// <exception cref="GgufFormatException">There is no model in the folder, more than one, or not all of it. Whether a single file is there, opening it tells.</exception>
    public static IReadOnlyList<string> Find(string path)
    {
        if (Directory.Exists(path))
            path = OnlyModelIn(path);
        if (GgufSplit.PartsOf(path) is not { Count: > 1 } files)
            return [path];
        return files.FirstOrDefault(file => !File.Exists(file)) is { } missing
            ? throw new GgufFormatException($"{Path.GetFileName(missing)} is missing: a model in parts needs all of them")
            : files;
    }

    /// <summary>What the files are together, as one GGUF.</summary>
    /// <exception cref="GgufFormatException">They are several, and do not belong together.</exception>
    /// <exception cref="IOException">One cannot be read; also <see cref="UnauthorizedAccessException"/>.</exception>
    public static Stream Open(IReadOnlyList<string> files)
    {
        List<Stream> opened = [];
        try
        {
            foreach (string file in files)
                opened.Add(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true));
            return files.Count == 1 ? opened[0] : GgufMerge.Open(opened);
        }
        catch
        {
            foreach (Stream file in opened)
                file.Dispose();
            throw;
        }
    }

    private static string OnlyModelIn(string folder)
    {
        string[] models = [.. Directory.EnumerateFiles(folder, "*.gguf").GroupBy(file => GgufSplit.StemOf(file) ?? file).Select(model => model.Order(StringComparer.Ordinal).First())];
        return models.Length == 1
            ? models[0]
            : throw new GgufFormatException(models.Length == 0 ? "there is no .gguf in the folder" : $"there are {models.Length} models in the folder: name a file of one");
    }
}
