using System.Text;
using OllamaMax.Models;

namespace OllamaMax.Core.Tests.Models;

public sealed class ModelManifestTests
{
    private static readonly string Digest = ModelDigest.Of("weights"u8);

    [Fact]
    public void ToBytes_Manifest_IsOllamasJson()
    {
        ModelManifest manifest = new()
        {
            Config = new ModelLayer(ModelManifest.ConfigMediaType, Digest, 10),
            Layers = [new ModelLayer(ModelLayer.Model, Digest, 1000)],
        };

        string json = Encoding.UTF8.GetString(manifest.ToBytes());

        json.ShouldBe(
            """{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":"""
            + $$"""{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"{{Digest}}","size":10},"""
            + "\"layers\":[" + $$"""{"mediaType":"application/vnd.ollama.image.model","digest":"{{Digest}}","size":1000}]}""");
        ModelManifest.Parse(manifest.ToBytes()).Weights.ShouldBe(manifest.Layers[0]);
        manifest.Size.ShouldBe(1010);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"schemaVersion":2,"config":null,"layers":null}""")]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"","digest":"D","size":1},"layers":[]}""")]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"","digest":"D","size":1},"layers":[null]}""")]
    [InlineData("""{"schemaVersion":1,"config":{"mediaType":"","digest":"D","size":1},"layers":[{"mediaType":"M","digest":"D","size":1}]}""")]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"","digest":"D","size":-1},"layers":[{"mediaType":"M","digest":"D","size":1}]}""")]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"","digest":"../x","size":1},"layers":[{"mediaType":"M","digest":"D","size":1}]}""")]
    public void Parse_WhatCannotBeFollowed_IsRefused(string json)
    {
        string filled = json.Replace("\"D\"", $"\"{Digest}\"", StringComparison.Ordinal)
            .Replace("\"M\"", $"\"{ModelLayer.Model}\"", StringComparison.Ordinal);

        Should.Throw<FormatException>(() => ModelManifest.Parse(Encoding.UTF8.GetBytes(filled)));
    }

    [Fact]
    public void Parse_ChunksThatDoNotAddUp_AreRefused()
    {
        ModelChunks list = new() { Digest = Digest, Size = 9, ChunkSize = 4, Chunks = [Digest, Digest, Digest] };

        ModelChunks.Parse(list.ToBytes()).Chunks.ShouldBe(list.Chunks);
        Should.Throw<FormatException>(() => ModelChunks.Parse((list with { Size = 8 }).ToBytes()));
        Should.Throw<FormatException>(() => ModelChunks.Parse((list with { ChunkSize = 0 }).ToBytes()));
        Should.Throw<FormatException>(() => ModelChunks.Parse((list with { Chunks = [Digest, Digest, "x"] }).ToBytes()));
        Should.Throw<FormatException>(() => ModelChunks.Parse("{}"u8));
    }
}
