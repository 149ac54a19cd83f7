namespace OllamaMax.Edge.Templates;

/// <summary>Where the Jinja engine lies, and what a template may cost.</summary>
public sealed class PromptTemplatesOptions
{
    /// <summary>
    /// Path of <c>@huggingface/jinja</c>'s <c>dist/index.cjs</c>. Null: <c>jinja/index.cjs</c> beside the binaries, else in the
    /// first <c>node_modules</c> above them.
    /// </summary>
    public string? JinjaScriptPath { get; set; }

    /// <summary>Longest time of one render that does more than any sensible template; a slow machine alone stops none.</summary>
    public TimeSpan RenderTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes that one render may allocate in all (not at once).</summary>
    public long RenderMemory { get; set; } = 256L << 20;

    /// <summary>Characters of the longest string that a template may build in one step by repeating or joining.</summary>
    public int LongestString { get; set; } = 16 << 20;

    /// <summary>Compiled templates that each engine keeps, the least recently used one goes first.</summary>
    public int CompiledTemplates { get; set; } = 16;
}
