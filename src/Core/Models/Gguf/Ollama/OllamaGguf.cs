namespace OllamaMax.Models.Gguf.Ollama;

/// <summary>
/// GGUFs that were written for Ollama's own engine, as many of its registry are: other names, other keys, and what sees in the same file. llama.cpp cannot load them; Ollama
/// itself translates them where it loads (https://github.com/ollama/ollama/tree/main/llama/compat). Here they are translated before they become a model, so that
/// all that reads one later has llama.cpp's, and digests are those of what lies there.
/// </summary>
public static class OllamaGguf
{
    /// <param name="source">A GGUF; can be sought in. It is disposed of with what is answered.</param>
    /// <returns>
    /// What llama.cpp reads of it: computed where it is read, in constant memory but for its header; can be sought in. The source itself, at its begin, where it is llama.cpp's already.
    /// </returns>
    /// <exception cref="GgufFormatException">It is damaged, or Ollama's and cannot be translated. The source is left open then.</exception>
    public static Stream Open(Stream source)
    {
        Stream opened = Draft(source)?.Open(source) ?? source;
        opened.Position = 0;
        return opened;
    }

    /// <summary>Whether <see cref="Open"/> makes another file of it: its header tells.</summary>
    /// <param name="source">As of it; it stays open.</param>
    /// <exception cref="GgufFormatException">As of it.</exception>
    public static bool Is(Stream source) => Draft(source) is not null;

    /// <summary>Why a file that begins so can be no model here, as far as its begin tells; null: nothing is known against it.</summary>
    public static string? WhyNot(Stream begin)
    {
        try
        {
            return OllamaFamilies.WhyNot(GgufReader.FindArchitecture(begin, null));
        }
        catch (GgufFormatException)
        {
            // Cut off, or damaged: found out where all of it is read.
            return null;
        }
    }

    private static GgufDraft? Draft(Stream source)
    {
        source.Position = 0;
        string? architecture = GgufReader.FindArchitecture(source, source.Length);
        if (OllamaFamilies.WhyNot(architecture) is { } reason)
            throw new GgufFormatException(reason);
        OllamaFamily[] families = [.. OllamaFamilies.All.Where(family => family.Architecture == architecture)];
        if (families.Length == 0)
            return null;
        GgufDraft draft = new(new GgufLayout(source));
        if (Array.Find(families, family => family.Has(draft)) is not { } found)
            return null;
        found.Translate(draft);
        return draft;
    }
}
