// Mean-pooled bags and row-wise Adagrad, one table per task, threads share the tables: no atomics, and the result does
// not depend on their number. Bags of one id only; row numbers are trusted, as FBGEMM trusts them.
#include <torch/extension.h>

#include <ATen/Parallel.h>
#include <cmath>
#include <cstring>
#include <vector>

// ids [F·B] feature-major, starts [F] rows before each table, weight [ΣE, D] -> [B, F·D]
at::Tensor pool(const at::Tensor& ids, const at::Tensor& starts, const at::Tensor& weight, int64_t B) {
  const int64_t F = starts.numel(), D = weight.size(1);
  auto out = at::empty({B, F * D}, weight.options());
  const int64_t *v = ids.data_ptr<int64_t>(), *s = starts.data_ptr<int64_t>();
  const float* w = weight.data_ptr<float>();
  float* o = out.data_ptr<float>();
#pragma omp parallel for num_threads(at::get_num_threads()) schedule(static)
  for (int64_t b = 0; b < B; b++)
    for (int64_t f = 0; f < F; f++) {
      if (b + 8 < B) __builtin_prefetch(w + (s[f] + v[f * B + b + 8]) * D);
      std::memcpy(o + (b * F + f) * D, w + (s[f] + v[f * B + b]) * D, D * sizeof(float));
    }
  return out;
}

// sizes [F] rows of each table, grad [B, F·D], state [ΣE]
void update(const at::Tensor& ids, const at::Tensor& starts, const at::Tensor& sizes, at::Tensor weight,
            at::Tensor state, const at::Tensor& grad, double rate, double eps) {
  const int64_t F = starts.numel(), D = weight.size(1), B = grad.size(0);
  const int64_t *v = ids.data_ptr<int64_t>(), *s = starts.data_ptr<int64_t>();
  const float* g = grad.data_ptr<float>();
  float *w = weight.data_ptr<float>(), *st = state.data_ptr<float>();
#pragma omp parallel num_threads(at::get_num_threads())
  {
    std::vector<int32_t> slot(sizes.max().item<int64_t>(), -1);
    std::vector<int64_t> rows;
    std::vector<float> sum(B * D);
#pragma omp for schedule(dynamic, 1)
    for (int64_t f = 0; f < F; f++) {
      rows.clear();
      for (int64_t b = 0; b < B; b++) {
        const float* gr = g + (b * F + f) * D;
        const int64_t r = v[f * B + b];
        const int32_t at = slot[r];
        if (at < 0) {
          slot[r] = rows.size();
          std::memcpy(&sum[rows.size() * D], gr, D * sizeof(float));
          rows.push_back(r);
        } else {
          for (int64_t d = 0; d < D; d++) sum[at * D + d] += gr[d];
        }
      }
      for (size_t i = 0; i < rows.size(); i++) {
        const float* a = &sum[i * D];
        slot[rows[i]] = -1;
        float q = 0;
        for (int64_t d = 0; d < D; d++) q += a[d] * a[d];
        float& total = st[s[f] + rows[i]];
        total += q / D;
        const float m = -rate / (std::sqrt(total) + eps);
        float* wr = w + (s[f] + rows[i]) * D;
        for (int64_t d = 0; d < D; d++) wr[d] += m * a[d];
      }
    }
  }
}

PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
  m.def("pool", &pool);
  m.def("update", &update);
}
