"""Log-mel front ends at 32 kHz: the teacher's (128 bands, 100 frames a second) and the student's (64 bands, 50 frames)."""
import numpy as np
import torch

RATE, FFT, HOP = 32000, 1024, 320


def kaldi_bank(count, low=0.0, high=15000.0):
    """Triangles of peak 1 on the mel scale 1127 ln(1 + f/700): [count, 513]."""
    def mel(hz):
        return 1127.0 * np.log1p(np.asarray(hz) / 700.0)
    edges = np.linspace(mel(low), mel(high), count + 2)
    bins = mel(np.arange(FFT // 2 + 1) * RATE / FFT)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    bank = np.maximum(0, np.minimum(rising, falling))
    bank[:, -1] = 0  # the teacher's bank leaves the Nyquist bin out
    return torch.tensor(bank, dtype=torch.float32)


TEACHER_BANK, STUDENT_BANK = kaldi_bank(128), kaldi_bank(64)
WINDOW = torch.hann_window(800, periodic=False)


def power(samples):
    """[t] -> power spectrogram [513, 1 + (t - 1) // 320]: pre-emphasis .97, centred frames, reflected edges."""
    x = torch.as_tensor(samples, dtype=torch.float32)
    x = x[1:] - 0.97 * x[:-1]
    spectrum = torch.stft(x, FFT, HOP, 800, WINDOW, center=True, pad_mode="reflect", return_complex=True)
    return spectrum.real ** 2 + spectrum.imag ** 2


def log_mel(bank, spectrogram):
    return (torch.log(bank @ spectrogram + 1e-5) + 4.5) / 5


def teacher_mel(spectrogram):
    return log_mel(TEACHER_BANK, spectrogram)


def student_mel(spectrogram):
    return log_mel(STUDENT_BANK, spectrogram[:, ::2])


def fill(samples, seconds):
    """Repeats a shorter clip to the length, the last copy cut."""
    n = int(seconds * RATE)
    return np.tile(samples, -(-n // len(samples)))[:n]
