namespace OllamaMax.Models;

/// <summary>Texts of the tokens between which a model fills in what stands between a begin and an end (Bavarian et al. 2022).</summary>
public sealed record FillInTheMiddle(string Prefix, string Suffix, string Middle)
{
    /// <summary>The prompt whose answer belongs between the two.</summary>
    public string Prompt(string begin, string end) => Prefix + begin + Suffix + end + Middle;
}
