using System.Globalization;

namespace OllamaMax.Inference.Native;

/// <summary>
/// Looks at a model file before llama.cpp does, for what it would end the process over instead of refusing, found by
/// loading mutated files: an assertion cannot be caught. What it refuses by itself is left to it.
/// </summary>
internal static class GgufCheck
{
    private const long MostLayers = 512;
    private const long MostExperts = 512;

    /// <returns>What it says about the model's form.</returns>
    /// <exception cref="ModelLoadException">The file cannot be a model; the message names it and says why.</exception>
    public static ModelShape Check(string path)
    {
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16);
            using GgufHeader header = GgufHeader.Read(stream);
            if (Error(header) is { } error)
                throw new ModelLoadException($"{path} cannot be used: {error}");
            return ModelShape.Of(header, stream.Length);
        }
        catch (EndOfStreamException failure)
        {
            throw new ModelLoadException($"{path} is cut off: it ends within its header", failure);
        }
        catch (InvalidDataException failure)
        {
            throw new ModelLoadException($"{path} {failure.Message}", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ModelLoadException($"{path} cannot be read: {failure.Message}", failure);
        }
    }

    private static string? Error(GgufHeader header)
    {
        if (header.DoubleToken is { } token)
            return $"its vocabulary has '{token}' twice";
        foreach ((string key, double value) in header.Numbers)
        {
            if (Error(key, value) is { } error)
                return error;
        }
        return null;
    }

    private static string? Error(string key, double value)
    {
        bool isWrong = key[(key.IndexOf('.', StringComparison.Ordinal) + 1)..] switch
        {
            "block_count" => value is < 1 or > MostLayers,
            "expert_count" or "expert_used_count" => value is < 0 or > MostExperts,
            "attention.layer_norm_epsilon" or "attention.layer_norm_rms_epsilon" or "attention.group_norm_epsilon" => !(value >= 0),
            _ => false,
        };
        return isWrong ? $"its {key} is {value.ToString(CultureInfo.InvariantCulture)}" : null;
    }
}
