namespace OllamaMax.Jobs;

/// <summary>Names of the two queues of a model: <c>jobs-i-…</c> and <c>jobs-b-…</c>, with 48 hex digits of the weights' digest.</summary>
public static class JobQueueName
{
    /// <summary>Of all of them.</summary>
    public const string Prefix = "jobs-";

    private const int Digits = 48;

    public static string For(string model, Band band)
    {
        string hex = model.StartsWith("sha256:", StringComparison.Ordinal) ? model["sha256:".Length..] : model;
        if (hex.Length < Digits || !hex.All(char.IsAsciiHexDigitLower))
            throw new ArgumentException($"'{model}' is no digest of the form sha256:<64 hex digits>", nameof(model));
        return $"{Prefix}{(band == Band.Interactive ? 'i' : 'b')}-{hex[..Digits]}";
    }

    /// <param name="name">One that <see cref="For"/> has made.</param>
    public static Band BandOf(string name) => name.StartsWith(Prefix + 'i', StringComparison.Ordinal) ? Band.Interactive : Band.Batch;
}
