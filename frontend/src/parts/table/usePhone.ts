import { useMediaQuery } from '@mantine/hooks'

/** Whether the window is as narrow as a phone's; known from the first drawing on. */
export const usePhone = () => useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false })
